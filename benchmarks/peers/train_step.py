"""A multi-task training step: linear 784 -> 256, two times x + mixture(RMSNorm(x)), RMSNorm, a linear head of 10 classes per task, AdamW.

Ways: sum, sum+compile, torchjd (mtl_backward, one chunk per task), libmtl (its PCGrad), hand (head gradients first, one trunk backward per task,
inner products, PCGrad in weight space). Run with -first-step it makes one step of its case and ends: the process as a user waits for it.
"""
import json
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F
import worker

ROWS, INPUT, WIDTH, HIDDEN, EXPERTS, PICKS, CLASSES = 1024, 784, 256, 512, 16, 2, 10


class Mixture(nn.Module):
    def __init__(self):
        super().__init__()
        self.router = nn.Parameter(torch.randn(EXPERTS, WIDTH) * 0.05)
        self.up = nn.Parameter(torch.randn(EXPERTS, 2 * HIDDEN, WIDTH) * WIDTH ** -0.5)
        self.down = nn.Parameter(torch.randn(EXPERTS, WIDTH, HIDDEN) * HIDDEN ** -0.5)

    def forward(self, x):
        w, picks = torch.topk(torch.softmax(F.linear(x, self.router), -1), PICKS, dim=-1)
        w = w / w.sum(-1, keepdim=True)
        flat = picks.reshape(-1)
        perm = torch.sort(flat, stable=True)[1]
        inverse = torch.empty_like(perm)
        inverse[perm] = torch.arange(perm.numel())
        ends = torch.bincount(flat, minlength=EXPERTS).cumsum(0).to(torch.int32)
        gate, up = F.grouped_mm(x[perm // PICKS], self.up.transpose(1, 2), offs=ends).chunk(2, -1)
        y = F.grouped_mm(F.silu(gate) * up, self.down.transpose(1, 2), offs=ends)
        return (y[inverse].view(-1, PICKS, WIDTH) * w.unsqueeze(-1)).sum(1)


class Trunk(nn.Module):
    def __init__(self):
        super().__init__()
        self.input = nn.Linear(INPUT, WIDTH)
        self.norms = nn.ModuleList(nn.RMSNorm(WIDTH, eps=1e-6) for _ in range(3))
        self.mixtures = nn.ModuleList(Mixture() for _ in range(2))

    def forward(self, x):
        h = self.input(x)
        for norm, mixture in zip(self.norms, self.mixtures):
            h = h + mixture(norm(h))
        return self.norms[2](h)


def take(trunk, heads, w):
    """Copies Artel's initial parameters, under its names."""
    put = lambda p, t: p.data.copy_(t)
    put(trunk.input.weight, w["inputs.random.weight"].t()), put(trunk.input.bias, w["inputs.random.bias"])
    for i, m in enumerate(trunk.mixtures):
        name = f"blocks.{i}"
        put(m.router, w[f"{name}.router.weight"].t()), put(trunk.norms[i].weight, w[f"{name}.norm.weight"])
        for e in range(EXPERTS):
            put(m.up[e], w[f"{name}.experts.{e}.up"].t()), put(m.down[e], w[f"{name}.experts.{e}.down"].t())
    put(trunk.norms[2].weight, w["final.norm.weight"])
    for t, head in enumerate(heads):
        put(head.weight, w[f"heads.task{t}.weight"].t()), put(head.bias, w[f"heads.task{t}.bias"])


def pcgrad_weights(gram):
    """PCGrad's answer as weights of the task gradients: projections need inner products only."""
    m = len(gram)
    total = [0.0] * m
    for i in range(m):
        c = [float(i == j) for j in range(m)]
        for j in torch.randperm(m).tolist():
            inner = sum(g * v for g, v in zip(gram[j], c))
            if j != i and inner < 0:
                c[j] -= inner / gram[j][j]
        total = [a + b for a, b in zip(total, c)]
    return total


def step_by(way, tasks, trunk, heads, opt, x, labels):
    shared, forward = list(trunk.parameters()), trunk
    if way == "sum+compile":
        forward = torch.compile(trunk)

    def losses(h):
        return [F.cross_entropy(head(h), y) for head, y in zip(heads, labels)]

    def plain():
        every = losses(forward(x))
        opt.zero_grad()
        sum(every).backward()
        opt.step()
        return every

    def hand():
        h = forward(x)
        opt.zero_grad()
        top = h.detach().requires_grad_()
        every, cotangents = losses(top), []
        for loss, head in zip(every, heads):
            mine = list(head.parameters())
            first, *rest = torch.autograd.grad(loss, [top, *mine])
            cotangents.append(first)
            for p, g in zip(mine, rest):
                p.grad = g
        rows = [torch.autograd.grad(h, shared, c, retain_graph=t + 1 < tasks) for t, c in enumerate(cotangents)]
        inner = lambda a, b: sum(torch.dot(u.view(-1), v.view(-1)) for u, v in zip(a, b)).item()
        gram = [[0.0] * tasks for _ in range(tasks)]
        for a in range(tasks):
            for b in range(a, tasks):
                gram[a][b] = gram[b][a] = inner(rows[a], rows[b])
        weights = pcgrad_weights(gram)
        for k, p in enumerate(shared):
            p.grad = rows[0][k].mul_(weights[0])
            for t in range(1, tasks):
                p.grad.add_(rows[t][k], alpha=weights[t])
        opt.step()
        return every

    def torchjd():
        from torchjd.aggregation import PCGrad
        from torchjd.autojac import jac_to_grad, mtl_backward
        project = PCGrad()

        def run():
            h = forward(x)
            every = losses(h)
            opt.zero_grad()
            mtl_backward(every, features=h, parallel_chunk_size=1)
            jac_to_grad(shared, project, optimize_gramian_computation=True)
            opt.step()
            return every
        return run

    def libmtl():
        import importlib.util
        import types
        package = types.ModuleType("LibMTL")  # its own __init__ imports what torchvision no longer has
        package.__path__ = list(importlib.util.find_spec("LibMTL").submodule_search_locations)
        sys.modules["LibMTL"] = package
        from LibMTL.weighting.PCGrad import PCGrad

        class Weighting(PCGrad):
            def get_share_params(self):
                return shared

            def zero_grad_share_params(self):
                for p in shared:
                    p.grad = torch.zeros_like(p) if p.grad is None else p.grad.zero_()

        weigh = Weighting()
        weigh.rep_grad, weigh.task_num, weigh.device = False, tasks, torch.device("cpu")

        def run():
            every = losses(forward(x))
            opt.zero_grad(set_to_none=False)
            weigh.backward(every)
            opt.step()
            return every
        return run

    if way.startswith("sum"):
        return plain
    return {"hand": lambda: hand, "torchjd": torchjd, "libmtl": libmtl}[way]()


def setup(case):
    torch.set_num_threads(case["threads"])
    if case.get("tuned"):
        torch.set_float32_matmul_precision("medium")
    torch.manual_seed(0)
    tasks, way = case["tasks"], case["way"]
    trunk, heads = Trunk(), nn.ModuleList(nn.Linear(WIDTH, CLASSES) for _ in range(tasks))
    if "weights" in case:
        w = worker.load(case["weights"])
        take(trunk, heads, w)
        x, labels = w["x"], [w["labels"][t].long() for t in range(tasks)]
    else:
        x, labels = torch.randn(ROWS, INPUT), [torch.randint(0, CLASSES, (ROWS,)) for _ in range(tasks)]
    # Artel leaves biases and scales out of weight decay
    decayed = [p for p in [*trunk.parameters(), *heads.parameters()] if p.dim() > 1]
    others = [p for p in [*trunk.parameters(), *heads.parameters()] if p.dim() == 1]
    opt = torch.optim.AdamW([{"params": decayed}, {"params": others, "weight_decay": 0.0}], lr=case.get("lr", 1e-4), weight_decay=case.get("decay", 0.01), fused=True)
    step = step_by(way, tasks, trunk, heads, opt, x, labels)
    if "answers" in case:
        curve = [torch.stack([loss.detach() for loss in step()]) for _ in range(case["steps"])]
        worker.save(case["answers"], {"losses": torch.stack(curve)})
    return step, {"tokens": ROWS}


if "-first-step" in sys.argv:
    step, _ = setup(json.loads(sys.argv[sys.argv.index("-first-step") + 1]))
    print("step 1", sum(float(loss.detach()) for loss in step()))
else:
    worker.serve(setup)
