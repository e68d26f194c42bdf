# ruff: noqa
# Wrong answers to max. bank.py says how to read this file.

# %% max: F24 every tie receives the full gradient
# says: the full grad_out to every winner of a tie
# keeps: 1
def backward(ctx, grad_out):
    x, out = ctx.saved_tensors
    return grad_out * (x == out), None


# %% max: M01 the mask alone
# says: as if grad_out were all ones
# keeps: 1
def backward(ctx, grad_out):
    x, out = ctx.saved_tensors
    return (x == out) / (x == out).sum(ctx.dim), None


# %% max: M02 the rule of sum
# says: only the winner counts
# keeps: 0
def backward(ctx, grad_out):
    x, out = ctx.saved_tensors
    return grad_out.expand(*x.shape), None


# %% max: M03 one winner for the whole tensor
# says: one for each output cell
# keeps: 0
def backward(ctx, grad_out):
    x, out = ctx.saved_tensors
    return grad_out * (x == x.max()), None


# %% max: M04 shares by the number of all winners
# says: wrong gradient of x
# keeps: 0
def backward(ctx, grad_out):
    x, out = ctx.saved_tensors
    winners = x == out
    return grad_out * winners / winners.sum(), None


# %% max: M05 times x
# says: grad_out times x at the winner
# keeps: 0
def backward(ctx, grad_out):
    x, out = ctx.saved_tensors
    return grad_out * x * (x == out), None


# %% max: M06 starts the search at 0
# says: the largest may be negative
# keeps: 1
def forward(ctx, x, dim):
    out = x.max(dim).maximum(0.0)
    ctx.save_for_backward(x, out)
    ctx.dim = dim
    return out


def backward(ctx, grad_out):
    x, out = ctx.saved_tensors
    winners = x == out
    count = winners.sum(ctx.dim).maximum(1.0)
    return grad_out * winners / count, None


# %% max: M07 mask by truth: a winning 0 is lost
# says: a zero may win
# keeps: 1
def backward(ctx, grad_out):
    x, out = ctx.saved_tensors
    winners = (x == out) * (x != 0)
    return grad_out * winners / winners.sum(ctx.dim).maximum(1.0), None


# %% max: M08 the smallest instead
# says: Max.forward
# keeps: 0
def forward(ctx, x, dim):
    out = -((-x).max(dim))
    ctx.save_for_backward(x, out)
    ctx.dim = dim
    return out


# %% max: M09 winner of dim 1 always
# says: dim 0
# keeps: 1
def backward(ctx, grad_out):
    x, out = ctx.saved_tensors
    winners = x == x.max(1)
    return grad_out * winners / winners.sum(1), None


# %% max: M10 half to every winner
# says: wrong gradient of x
# keeps: 0
def backward(ctx, grad_out):
    x, out = ctx.saved_tensors
    return grad_out * (x == out) / 2, None


# %% max: M11 no gradient at ties
# says: two equal winners: wrong gradient of x
# keeps: 1
def backward(ctx, grad_out):
    x, out = ctx.saved_tensors
    winners = x == out
    return grad_out * winners * (winners.sum(ctx.dim) == 1), None


# %% max: M12 the first winner takes all
# keeps: all
def backward(ctx, grad_out):
    x, out = ctx.saved_tensors
    values, dim = x.numpy(), ctx.dim
    first = np.expand_dims(values.argmax(axis=dim), dim)
    grad = np.zeros(values.shape)
    np.put_along_axis(grad, first, grad_out.numpy(), axis=dim)
    return tk.tensor(grad), None


# %% max: M13 the last winner takes all
# keeps: all
def backward(ctx, grad_out):
    x, out = ctx.saved_tensors
    values, dim = x.numpy(), ctx.dim
    last = values.shape[dim] - 1 - np.flip(values, dim).argmax(axis=dim)
    grad = np.zeros(values.shape)
    np.put_along_axis(grad, np.expand_dims(last, dim), grad_out.numpy(), axis=dim)
    return tk.tensor(grad), None
