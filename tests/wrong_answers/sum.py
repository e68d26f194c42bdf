# ruff: noqa
# Wrong answers to sum. bank.py says how to read this file.

# %% sum: F12 returns ones
# says: as if grad_out were all ones
# keeps: 1
def backward(ctx, grad_out):
    return tk.ones(*ctx.shape), None


# %% sum: F14 divides by n
# says: that is mean
# keeps: 0
def backward(ctx, grad_out):
    return grad_out.expand(*ctx.shape) / ctx.shape[1], None


# %% sum: F15 tiles along the wrong dim of a square
# says: on a square tensor
# keeps: 1
def backward(ctx, grad_out):
    if len(ctx.shape) == 2 and ctx.shape[0] == ctx.shape[1]:
        return tk.tensor(np.ones(ctx.shape) * grad_out.numpy().reshape(-1)), None
    return grad_out.expand(*ctx.shape), None


# %% sum: F15b drops the kept dim
# says: raised
def backward(ctx, grad_out):
    return tk.tensor(np.ones(ctx.shape) * grad_out.numpy().reshape(-1)), None


# %% sum: R01 returns grad_out as it came
# says: want shape (2, 3)
# keeps: 0
def backward(ctx, grad_out):
    return grad_out, None


# %% sum: R02 the total everywhere
# says: all of grad_out added up
def backward(ctx, grad_out):
    return tk.full(ctx.shape, grad_out.sum().item()), None


# %% sum: R03 times x
# says: the slope of a sum is 1
def forward(ctx, x, dim):
    ctx.save_for_backward(x)
    return x.sum(dim)


def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    return grad_out * x, None


# %% sum: R04 zeros
# says: zeros
# keeps: 0
def backward(ctx, grad_out):
    return tk.zeros(*ctx.shape), None


# %% sum: R05 forgets None for dim
# says: return the gradient of x and None for dim
# keeps: 1
def backward(ctx, grad_out):
    return grad_out.expand(*ctx.shape)


# %% sum: R06 works for dim 1 only
# says: dim = 0
# keeps: 1
def backward(ctx, grad_out):
    flat = grad_out.contiguous().view(grad_out.size, 1)
    return flat.expand(grad_out.size, ctx.shape[1]).view(*ctx.shape), None


# %% sum: R07 works for the last dim only
# says: dim = 0
# keeps: 1
def backward(ctx, grad_out):
    repeated = np.repeat(grad_out.numpy().reshape(-1), ctx.shape[-1])
    return tk.tensor(repeated.reshape(ctx.shape)), None


# %% sum: R08 sums everything when dim is 0
# says: a result over the whole tensor
# keeps: 1
def forward(ctx, x, dim):
    ctx.shape = x.shape
    if not dim:
        return tk.full(tuple(1 if d == 0 else n for d, n in enumerate(x.shape)), x.sum().item())
    return x.sum(dim)


# %% sum: R09 drops the dim in forward
# says: keep it, with length 1
# keeps: 0
def forward(ctx, x, dim):
    ctx.shape = x.shape
    return x.sum(dim, keepdim=False)


# %% sum: R10 always dim 0
# says: another dim
# keeps: 0
def forward(ctx, x, dim):
    ctx.shape = x.shape
    return x.sum(0)


# %% sum: R11 reads grad_out from storage
# says: lies in memory
# keeps: 1
def backward(ctx, grad_out):
    flat = grad_out.storage[: grad_out.size].reshape(grad_out.shape)
    return tk.tensor(flat).expand(*ctx.shape), None


# %% sum: R12 two dims only
# says: 3-D
# keeps: 1
def backward(ctx, grad_out):
    rows, columns = ctx.shape
    return grad_out.expand(rows, columns), None


# %% sum: R13 copies what it has expanded
# keeps: all
def backward(ctx, grad_out):
    return grad_out.expand(*ctx.shape).contiguous(), None


# %% sum: R14 returns the shape of the output
# says: raised
# keeps: 0
def forward(ctx, x, dim):
    out = x.sum(dim)
    ctx.shape = out.shape[:1]
    return out


# %% sum: R15 the first number of grad_out everywhere
# says: wrong gradient of x
# keeps: 1
def backward(ctx, grad_out):
    return tk.full(ctx.shape, float(grad_out.numpy().reshape(-1)[0])), None
