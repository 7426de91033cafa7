"""A worker of the benchmarks' driver: one process holds one case ready and runs it when asked (see internal/bench)."""
import json
import os
import resource
import sys
import time


def peak_rss_mib():
    """Of this program alone: rusage would count what the parent had before exec."""
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) / 1024


def serve(setup, cap_gib=10):
    """setup(case) -> (step, info). step() may return milliseconds; otherwise the whole call is timed."""
    case = json.loads(sys.argv[sys.argv.index("-worker") + 1])
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print must not end up between the answers
    resource.setrlimit(resource.RLIMIT_DATA, (cap_gib << 30, cap_gib << 30))  # a case that grows fails alone

    def say(**fields):
        out.write(json.dumps(fields) + "\n")

    def fail(e):
        say(error=f"{type(e).__name__}: {e}".splitlines()[0][:300], peak_rss_mb=peak_rss_mib())

    try:
        step, info = setup(case)
        for _ in range(case.get("warm", 3)):
            step()
    except Exception as e:
        return fail(e)
    say(**info, peak_rss_mb=peak_rss_mib())
    for line in sys.stdin:
        if line.startswith("q"):
            break
        try:
            start = time.perf_counter()
            ms = step()
            took = (time.perf_counter() - start) * 1e3
        except Exception as e:
            return fail(e)
        say(ms=ms if isinstance(ms, float) else took, peak_rss_mb=peak_rss_mib())


def load(path):
    from safetensors.torch import load_file
    return load_file(path)


def save(path, tensors):
    from safetensors.torch import save_file
    import torch
    save_file({k: v.detach().to(torch.float32).contiguous().clone() for k, v in tensors.items()}, path)
