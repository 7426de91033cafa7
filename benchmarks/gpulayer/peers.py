#!/usr/bin/env python3
"""The layers of gpulayer in PyTorch (grouped_mm) and, where the package sonic-moe is installed, in SonicMoE, on the same device.

    python3 peers.py [--device cuda:0] [--models 7B] [--scale 1] [--reps 20]

Exit status 3, with the reason, when there is no PyTorch or no such device. Prints one Markdown row per layer and implementation.
"""
import argparse
import statistics
import sys
import time

SHAPES = [  # model, tokens, width, hidden, experts, picks; as in published.go
    ("1.4B", 40960, 768, 256, 128, 8), ("1.4B", 40960, 768, 512, 64, 4), ("1.4B", 40960, 768, 1024, 32, 2),
    ("7B", 24576, 1536, 256, 128, 8), ("7B", 24576, 1536, 512, 64, 4), ("7B", 24576, 1536, 1024, 32, 2),
    ("30B", 32768, 4096, 256, 256, 16), ("30B", 32768, 4096, 512, 128, 8), ("30B", 32768, 4096, 1024, 64, 4),
    ("120B", 32768, 4096, 512, 256, 16), ("120B", 32768, 4096, 1024, 128, 8), ("120B", 32768, 4096, 2048, 64, 4),
]


def absent(reason):
    print(f"peers are left out: {reason}", file=sys.stderr)
    sys.exit(3)


def grouped(torch, t, d, f, e, k, device):
    """Router, gather, two grouped products with SwiGLU between them, weighted sum; bf16 with the library's autograd."""
    import torch.nn.functional as F
    grouped_mm = getattr(F, "grouped_mm", None) or torch._grouped_mm
    new = lambda *s, std: (torch.randn(*s, device=device) * std).bfloat16().requires_grad_()
    router, up, down = new(e, d, std=0.05), new(e, d, 2 * f, std=d ** -0.5), new(e, f, d, std=f ** -0.5)

    def forward(x):
        score, pick = torch.topk(torch.softmax(x @ router.t(), -1, dtype=torch.float32), k, -1)
        score = (score / score.sum(-1, keepdim=True)).to(x.dtype)
        order = torch.sort(pick.reshape(-1), stable=True).indices
        end = torch.bincount(pick.reshape(-1), minlength=e).cumsum(0).to(torch.int32)
        gate, value = grouped_mm(x[order // k], up, offs=end).chunk(2, -1)
        out = grouped_mm(F.silu(gate) * value, down, offs=end) * score.reshape(-1)[order].unsqueeze(-1)
        return torch.zeros_like(x).index_add(0, order // k, out)

    return forward, [router, up, down]


def sonic(torch, t, d, f, e, k, device):
    from sonicmoe import KernelBackendMoE, MoE
    from sonicmoe.enums import ActivationType
    layer = MoE(num_experts=e, num_experts_per_tok=k, hidden_size=d, intermediate_size=f,
                activation_function=ActivationType.SWIGLU, add_bias=False, std=0.02).to(device=device, dtype=torch.bfloat16)
    return lambda x: layer(x, kernel_backend_moe=KernelBackendMoE.sonicmoe)[0], list(layer.parameters())


def measure(torch, forward, weights, x, dy, reps, sync):
    ahead, back = [], []
    for i in range(3 + reps):
        for p in weights + [x]:
            p.grad = None
        sync()
        start = time.perf_counter()
        y = forward(x)
        sync()
        middle = time.perf_counter()
        y.backward(dy)
        sync()
        if i >= 3:
            ahead.append((middle - start) * 1e3)
            back.append((time.perf_counter() - middle) * 1e3)
    return statistics.median(ahead), statistics.median(back)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--device", default="cuda:0")
    args.add_argument("--models", default="1.4B,7B,30B,120B")
    args.add_argument("--scale", type=int, default=1, help="divide rows by this, widths and experts by its root")
    args.add_argument("--reps", type=int, default=20)
    a = args.parse_args()
    try:
        import torch
    except ImportError as err:
        absent(err)
    if a.device.startswith("cuda") and not torch.cuda.is_available():
        absent("PyTorch sees no GPU")
    sync = torch.cuda.synchronize if a.device.startswith("cuda") else lambda: None
    kinds = {"PyTorch grouped_mm": grouped, "PyTorch grouped_mm, compiled": grouped}
    try:
        import sonicmoe  # noqa: F401
        kinds["SonicMoE"] = sonic
    except ImportError as err:
        print(f"SonicMoE is left out: {err}", file=sys.stderr)
    print("| model | T | D | F | E | K | by | forward ms | TFLOP/s | backward ms | TFLOP/s |\n|---|---|---|---|---|---|---|---|---|---|---|")
    for model, t, d, f, e, k in SHAPES:
        if model not in a.models.split(","):
            continue
        if a.scale > 1:
            root = int(a.scale ** 0.5)
            t, d, f, e = max(t // a.scale, 1), max(d // root // 8 * 8, 8), max(f // root // 8 * 8, 8), max(e // root, 2)
            k = min(k, e)
        for name, build in kinds.items():
            try:
                torch.manual_seed(0)
                forward, weights = build(torch, t, d, f, e, k, a.device)
                if name.endswith("compiled"):
                    forward = torch.compile(forward)
                x = torch.randn(t, d, device=a.device).bfloat16().requires_grad_()
                ahead, back = measure(torch, forward, weights, x, torch.randn_like(x), a.reps, sync)
            except Exception as err:  # a peer that fails is a row of the table, not the end of it
                print(f"| {model} | {t} | {d} | {f} | {e} | {k} | {name} | {str(err).splitlines()[0]} |")
                continue
            work = 2 * 3 * t * k * d * f
            print(f"| {model} | {t} | {d} | {f} | {e} | {k} | {name} | {ahead:.3f} | {work / ahead / 1e9:.1f} | {back:.3f} | {2 * work / back / 1e9:.1f} |", flush=True)


main()
