# ruff: noqa
# Wrong answers to view. bank.py says how to read this file.

# %% view: F20 ignores the strides of grad_out
# says: copy it into reading order first
# keeps: 1
def backward(ctx, grad_out):
    return tk.tensor(grad_out.storage[: grad_out.size].reshape(ctx.shape)), None


# %% view: F20b view without a copy
# says: raised ShapeError
# keeps: 1
def backward(ctx, grad_out):
    return grad_out.view(*ctx.shape), None


# %% view: F21 forward reads storage in order
# says: reads the cells of x in order
# keeps: 1
def forward(ctx, x, shape):
    ctx.shape = x.shape
    return tk.tensor(x.storage[: x.size].reshape(shape))


# %% view: V11 grad_out as it came
# says: want shape (2, 3)
# keeps: 0
def backward(ctx, grad_out):
    return grad_out, None


# %% view: V12 transposes back
# says: wrong gradient of x
def backward(ctx, grad_out):
    return grad_out.permute(*reversed(range(grad_out.ndim))), None


# %% view: V13 ones
# says: as if grad_out were all ones
# keeps: 1
def backward(ctx, grad_out):
    return tk.ones(*ctx.shape), None


# %% view: V14 the shape of the output kept
# says: want shape (2, 3)
# keeps: 0
def forward(ctx, x, shape):
    ctx.shape = shape
    return x.contiguous().view(*shape)


# %% view: V15 forward transposes
# says: View.forward
# keeps: 0
def forward(ctx, x, shape):
    ctx.shape = x.shape
    return x.permute(1, 0)


# %% view: V16 forward refuses what does not lie in order
# keeps: all
def forward(ctx, x, shape):
    ctx.shape = x.shape
    return x.view(*shape)


# %% view: V17 forgets None for shape
# says: None for shape
# keeps: 1
def backward(ctx, grad_out):
    return grad_out.contiguous().view(*ctx.shape)


# %% view: V18 flattens only
# says: wrong gradient of x
# keeps: 0
def backward(ctx, grad_out):
    return grad_out.contiguous().view(grad_out.size), None
