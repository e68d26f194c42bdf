# ruff: noqa
# Wrong answers to mean. bank.py says how to read this file.

# %% mean: R16 the gradient of sum
# says: divide by the length of dim
# keeps: 0
def backward(ctx, grad_out):
    return grad_out.expand(*ctx.shape), None


# %% mean: R17 divides by the size of x
# says: by the length of dim only
# keeps: 0
def backward(ctx, grad_out):
    return grad_out.expand(*ctx.shape) / (ctx.shape[0] * ctx.shape[1]), None


# %% mean: R18 divides by the size of grad_out
# says: grad_out / grad_out.size
# keeps: 0
def backward(ctx, grad_out):
    return grad_out.expand(*ctx.shape) / grad_out.size, None


# %% mean: R19 drops grad_out
# says: as if grad_out were all ones
# keeps: 1
def backward(ctx, grad_out):
    return tk.ones(*ctx.shape) / ctx.count, None


# %% mean: R20 dim 0 counts as false
# says: dim 0
# keeps: 1
def forward(ctx, x, dim):
    ctx.shape = x.shape
    ctx.count = x.shape[dim] if dim else x.size
    return x.mean(dim)


# %% mean: R21 forward sums
# says: sum, not mean
# keeps: 0
def forward(ctx, x, dim):
    ctx.shape, ctx.count = x.shape, x.shape[dim]
    return x.sum(dim)


# %% mean: R22 always divides by the last length
# says: dim 0
# keeps: 1
def forward(ctx, x, dim):
    ctx.shape, ctx.count = x.shape, x.shape[-1]
    return x.mean(dim)


# %% mean: R23 divides twice
# says: wrong gradient of x
# keeps: 0
def backward(ctx, grad_out):
    return (grad_out / ctx.count / ctx.count).expand(*ctx.shape), None


# %% mean: R24 multiplies instead of dividing
# says: wrong gradient of x
# keeps: 0
def backward(ctx, grad_out):
    return (grad_out * ctx.count).expand(*ctx.shape), None


# %% mean: R25 mean of everything in forward
# says: over the whole tensor
# keeps: 0
def forward(ctx, x, dim):
    ctx.shape, ctx.count = x.shape, x.shape[dim]
    return x.mean().expand(*(1 if d == dim else n for d, n in enumerate(x.shape)))


# %% mean: R26 scales grad_out in place
# says: changed grad_out in place
# keeps: 1
def backward(ctx, grad_out):
    grad_out[...] = grad_out / ctx.count
    return grad_out.expand(*ctx.shape), None


# %% mean: R27 multiplies ones
# keeps: all
def backward(ctx, grad_out):
    return tk.ones(*ctx.shape) * grad_out / ctx.count, None
