"""One mixture-of-experts layer (softmax router, the k most probable, weights divided by their sum, SwiGLU experts), forward and backward.

Ways: hf-grouped_mm (transformers' Qwen3MoeSparseMoeBlock), grouped (torch's grouped product) and custom (an autograd.Function that keeps only the input and the pre-activations); "+compile" and "+fuse" (element-wise parts only) go through inductor.
"""
import torch
import torch.nn.functional as F
import worker

WAYS = ("hf-grouped_mm", "hf-grouped_mm+compile", "grouped", "grouped+compile", "custom", "custom+fuse")


class Shape:
    def __init__(self, case):
        self.T, self.D, self.F, self.E, self.K = (case[k] for k in "TDFEK")


def numbers(s, case, dtype):
    """x, dy [T,D]; router [E,D], gate and up [E,2F,D], down [E,D,F] as torch's linear layers want them."""
    if "weights" in case:
        w = worker.load(case["weights"])
        both = torch.cat([w["gate"], w["up"]], 2).transpose(1, 2)
        given = [w["x"], w["dy"], w["router"].t(), both, w["down"].transpose(1, 2)]
    else:
        torch.manual_seed(0)
        draw = lambda std, *shape: torch.randn(*shape) * std
        given = [draw(1, s.T, s.D), draw(1, s.T, s.D), draw(0.05, s.E, s.D), draw(s.D ** -0.5, s.E, 2 * s.F, s.D), draw(s.F ** -0.5, s.E, s.D, s.F)]
    return [t.to(dtype).contiguous() for t in given]


def route(s, x, router):
    p = torch.softmax(F.linear(x, router), -1, dtype=torch.float32)
    w, picks = torch.topk(p, s.K, dim=-1)
    return (w / w.sum(-1, keepdim=True)).to(x.dtype), picks


def order(s, picks):
    """The picks sorted by expert: position of each sorted row, its inverse, rows per expert."""
    flat = picks.reshape(-1)
    perm = torch.sort(flat, stable=True)[1]
    inverse = torch.empty_like(perm)
    inverse[perm] = torch.arange(perm.numel())
    return perm, inverse, torch.bincount(flat, minlength=s.E)


def swiglu(h):
    gate, up = h.chunk(2, -1)
    return F.silu(gate) * up


def gather_sum(s, y, inverse, w):
    return (y[inverse].view(s.T, s.K, s.D) * w.unsqueeze(-1)).sum(1)


def grouped(s):
    def layer(x, router, up, down):
        w, picks = route(s, x, router)
        perm, inverse, count = order(s, picks)
        ends = count.cumsum(0).to(torch.int32)
        a = swiglu(F.grouped_mm(x[perm // s.K], up.transpose(1, 2), offs=ends))
        return gather_sum(s, F.grouped_mm(a, down.transpose(1, 2), offs=ends), inverse, w)
    return layer


def custom(s, fuse):
    """Products into preallocated slices, a backward pass by hand."""
    def backward_of_gate(h, da, w):
        gate, up = h.float().chunk(2, -1)
        da = da.float()
        sig = torch.sigmoid(gate)
        silu = gate * sig
        a = silu * up
        dw, scaled = (da * a).sum(-1), da * w
        dh = torch.cat([scaled * up * (sig * (1 + gate * (1 - sig))), scaled * silu], -1)
        return dh.to(h.dtype), (a * w).to(h.dtype), dw.to(h.dtype)

    act, act_back, combine = swiglu, backward_of_gate, lambda y, inverse, w: gather_sum(s, y, inverse, w)
    if fuse:
        act, act_back, combine = torch.compile(act), torch.compile(act_back), torch.compile(combine)

    class Experts(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, w, up, down, perm, inverse, ends):
            rows = x[perm // s.K]
            h, y = x.new_empty(len(perm), 2 * s.F), x.new_empty(len(perm), s.D)
            for e, part in enumerate(ends):
                torch.mm(rows[part], up[e].t(), out=h[part])
            a = act(h)
            for e, part in enumerate(ends):
                torch.mm(a[part], down[e].t(), out=y[part])
            ctx.save_for_backward(x, w, up, down, perm, inverse, h)
            ctx.ends = ends
            return combine(y, inverse, w)

        @staticmethod
        def backward(ctx, dy):
            x, w, up, down, perm, inverse, h = ctx.saved_tensors
            token, weight = perm // s.K, w.reshape(-1)[perm].unsqueeze(-1)
            dys, rows = dy[token], x[token]
            da, dx = x.new_empty(len(perm), s.F), x.new_empty(len(perm), s.D)
            dup, ddown = torch.empty_like(up), torch.empty_like(down)
            for e, part in enumerate(ctx.ends):
                torch.mm(dys[part], down[e], out=da[part])
            dh, weighted, dw = act_back(h, da, weight)
            for e, part in enumerate(ctx.ends):
                torch.mm(dys[part].t(), weighted[part], out=ddown[e])
                torch.mm(dh[part].t(), rows[part], out=dup[e])
                torch.mm(dh[part], up[e], out=dx[part])
            return dx[inverse].view(s.T, s.K, s.D).sum(1), dw[inverse].view(s.T, s.K), dup, ddown, None, None, None

    def layer(x, router, up, down):
        w, picks = route(s, x, router)
        perm, inverse, count = order(s, picks)
        ends = [0] + count.cumsum(0).tolist()
        return Experts.apply(x, w, up, down, perm, inverse, [slice(a, b) for a, b in zip(ends, ends[1:])])
    return layer


def transformers_block(s, kind, dtype, router, up, down):
    from transformers import Qwen3MoeConfig
    from transformers.models.qwen3_moe.modeling_qwen3_moe import Qwen3MoeSparseMoeBlock
    config = Qwen3MoeConfig(hidden_size=s.D, moe_intermediate_size=s.F, num_experts=s.E, num_experts_per_tok=s.K, norm_topk_prob=True)
    config._experts_implementation = kind
    block = Qwen3MoeSparseMoeBlock(config).to(dtype)
    with torch.no_grad():
        block.gate.weight.copy_(router)
        block.experts.gate_up_proj.copy_(up)
        block.experts.down_proj.copy_(down)
    return block, [block.gate.weight, block.experts.gate_up_proj, block.experts.down_proj]


def saved_mib(run, finish, known):
    """What the backward pass keeps from the forward pass, beside input and parameters: each storage once."""
    seen, skip = {}, {t.untyped_storage().data_ptr() for t in known}

    def pack(t):
        storage = t.untyped_storage()
        if storage.data_ptr() not in skip:
            seen[storage.data_ptr()] = storage.nbytes()
        return t

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        y = run()
    total = sum(seen.values()) / 2 ** 20
    finish(y)
    return total


def setup(case):
    torch.set_num_threads(case["threads"])
    if case.get("tuned"):
        torch.set_float32_matmul_precision("medium")
    s, dtype = Shape(case), {"f32": torch.float32, "bf16": torch.bfloat16}[case["dtype"]]
    x, dy, router, up, down = numbers(s, case, dtype)
    x.requires_grad_()
    if case["way"] not in WAYS:
        raise ValueError(f"way {case['way']!r}; want one of {', '.join(WAYS)}")
    way, _, extra = case["way"].partition("+")
    if way.startswith("hf-"):
        block, params = transformers_block(s, way[3:], dtype, router, up, down)
        call = torch.compile(block) if extra == "compile" else block
        run = lambda: call(x.view(1, s.T, s.D)).view(s.T, s.D)
    else:
        params = [p.requires_grad_() for p in (router, up, down)]
        layer = grouped(s) if way == "grouped" else custom(s, extra == "fuse")
        if extra == "compile":
            torch._dynamo.config.recompile_limit = 64
            layer = torch.compile(layer)
        run = lambda: layer(x, *params)
    del router, up, down

    def step():
        x.grad = None
        for p in params:
            p.grad = None
        y = run()
        y.backward(dy)
        return y

    if "answers" in case:
        y = step()
        dr, dup, ddown = (p.grad for p in params)
        worker.save(case["answers"], {
            "y": y, "dx": x.grad, "drouter": dr.t(), "dgate": dup[:, :s.F].transpose(1, 2), "dup": dup[:, s.F:].transpose(1, 2), "ddown": ddown.transpose(1, 2)})
    with torch.no_grad():
        count = torch.bincount(route(s, x, params[0])[1].reshape(-1), minlength=s.E)
    info = {"flops": 18 * s.T * s.K * s.D * s.F, "tokens": s.T, "load_max_over_mean": (count.max() / count.float().mean()).item()}
    if extra != "compile":  # a compiled graph keeps what the hooks do not see
        info["saved_activation_mb"] = saved_mib(run, lambda y: y.backward(dy), [x, *params])
    return step, info


worker.serve(setup)
