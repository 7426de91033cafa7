"""One gigabyte (1e9 bytes) of float32 in 50 tensors to disk with fsync and back, every element read.

Ways: safetensors, torch (torch.save and torch.load), plain (write, fsync and read of the same bytes: the disk's rate).
"""
import os
import time

import torch
import worker

COUNT, LENGTH = 50, 5_000_000


def sync(path):
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def drop(path):
    """Out of the page cache, so that a load reads the disk (or what the host keeps of it)."""
    fd = os.open(path, os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)


def touch(tensors):
    return sum(float(t.sum()) for t in tensors.values())


def plain_write(tensors, path):
    with open(path, "wb") as f:
        for t in tensors.values():
            f.write(memoryview(t.numpy()).cast("B"))


def plain_read(path):
    buffer = bytearray(4 << 20)
    with open(path, "rb", buffering=0) as f:
        while f.readinto(buffer):
            pass


def setup(case):
    import safetensors.torch as st
    torch.set_num_threads(case["threads"])
    path = os.path.join(case["dir"], "peer." + case["way"])
    tensors = {f"layer.{i}.weight": torch.randn(LENGTH) for i in range(COUNT)}
    save = {"safetensors": lambda: st.save_file(tensors, path), "torch": lambda: torch.save(tensors, path), "plain": lambda: plain_write(tensors, path)}[case["way"]]
    load = {"safetensors": lambda: touch(st.load_file(path)), "torch": lambda: touch(torch.load(path)), "plain": lambda: plain_read(path)}[case["way"]]

    def write():
        if os.path.exists(path):
            os.remove(path)
        start = time.perf_counter()
        save()
        sync(path)
        return (time.perf_counter() - start) * 1e3

    def read():
        if case["what"] == "load cold":
            drop(path)
        start = time.perf_counter()
        load()
        return (time.perf_counter() - start) * 1e3

    write()
    return write if case["what"] == "save" else read, {"bytes": COUNT * LENGTH * 4}


worker.serve(setup)
