#!/bin/sh
# Gets the yeast set (Elisseeff & Weston 2001; 2,417 genes, 103 measurements, 14 labels) out of the Python package river (BSD-3-Clause) into runs/surgery/yeast.csv.
# The package is downloaded, not installed. Needs pip and unzip.
set -eu
dir=${1:-runs/surgery}
mkdir -p "$dir"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
pip download --quiet --no-deps --dest "$tmp" river==0.26.1
unzip -p "$tmp"/river-*.whl river/datasets/yeast.csv.gz | gzip -dc > "$dir/yeast.csv"
echo "2418 lines are wanted; $dir/yeast.csv has $(wc -l < "$dir/yeast.csv")"
