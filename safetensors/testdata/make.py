"""Makes types.safetensors and, for every file here, the list of what the Python library finds in it.

Run in this directory with safetensors 0.8.0 and numpy: python make.py
"""

import glob
import hashlib
import json
import struct

import numpy as np
from safetensors import TensorSpec, safe_open, serialize_file

rows = np.arange(6).reshape(2, 3)
one = {
    "f32": ("float32", [2, 3], (rows / 3).astype("<f4")),
    "f64": ("float64", [2, 3], (rows / 3).astype("<f8")),
    "i32": ("int32", [2, 3], (rows - 3).astype("<i4")),
    "i64": ("int64", [2, 3], (rows - 3).astype("<i8") * 2**40),
    "f16": ("float16", [2, 3], (rows / 4).astype("<f2")),
    "bf16": ("bfloat16", [3], np.array([0x3F80, 0xC000, 0x7FC0], "<u2")),
    "scalar": ("float32", [], np.array(7, "<f4")),
    "empty": ("float32", [0, 4], np.zeros(0, "<f4")),
    'odd "name" <é>\n': ("float32", [1], np.array([1.5], "<f4")),
}
serialize_file(
    {k: TensorSpec(dtype=d, shape=s, data_ptr=x.ctypes.data, data_len=x.nbytes) for k, (d, s, x) in one.items()},
    "types.safetensors",
    {"format": "np", "note": "é \"quoted\""},
)

for path in sorted(glob.glob("*.safetensors")):
    out = {"metadata": {}, "tensors": {}}
    with open(path, "rb") as f:
        n = struct.unpack("<Q", f.read(8))[0]
        header, data = json.loads(f.read(n)), f.read()
    with safe_open(path, "np") as f:
        out["metadata"] = f.metadata() or {}
        for k in f.keys():
            s = f.get_slice(k)
            begin, end = header[k]["data_offsets"]
            out["tensors"][k] = {
                "dtype": s.get_dtype(), "shape": s.get_shape(), "sha256": hashlib.sha256(data[begin:end]).hexdigest(),
            }
    with open(path.replace(".safetensors", ".json"), "w") as f:
        json.dump(out, f, indent=1, sort_keys=True)
        f.write("\n")
