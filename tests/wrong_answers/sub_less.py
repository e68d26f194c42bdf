# ruff: noqa
# Wrong answers to sub and less. bank.py says how to read this file.

# %% sub: F26 b - a
# says: the operands are swapped
def forward(ctx, x, y):
    return y - x


def backward(ctx, grad_out):
    return -grad_out, grad_out


# %% sub: F26b forward right, backward swapped
# says: the signs are swapped
def backward(ctx, grad_out):
    return -grad_out, grad_out


# %% sub: Z01 both signs plus
# says: mind its sign
def backward(ctx, grad_out):
    return grad_out, grad_out


# %% sub: Z02 the slopes alone
# says: multiply by grad_out
def backward(ctx, grad_out):
    return tk.ones(*grad_out.shape), -tk.ones(*grad_out.shape)


# %% sub: Z03 one gradient only
# says: returned 1 value, not 2
def backward(ctx, grad_out):
    return grad_out


# %% sub: Z04 both in one tensor
# says: returned 1 value, not 2
def backward(ctx, grad_out):
    return grad_out - grad_out


# %% sub: Z05 turns grad_out in place
# says: in place
def backward(ctx, grad_out):
    first = grad_out * 1
    grad_out[...] = -grad_out
    return first, grad_out


# %% sub: Z06 None for the second
# says: None
def backward(ctx, grad_out):
    return grad_out, None


# %% less: F22 passes the gradient through
# says: a step is flat
def backward(ctx, grad_out):
    return grad_out, grad_out


# %% less: Z25 the gradients of x - y
# says: the gradients of x - y
def backward(ctx, grad_out):
    return grad_out, -grad_out


# %% less: Z26 zeros in the shape of grad_out
# says: the shape of its own input
def backward(ctx, grad_out):
    zeros = tk.zeros(*grad_out.shape)
    return zeros, zeros


# %% less: Z27 None instead of zeros
# says: None
def backward(ctx, grad_out):
    return None, None


# %% less: Z28 one zero
# says: returned 1 value, not 2
def backward(ctx, grad_out):
    return tk.zeros(*grad_out.shape)


# %% less: Z29 a plain number
# says: is of type float
def backward(ctx, grad_out):
    return 0.0, 0.0


# %% less: Z30 greater, not less
# says: the operands are swapped
def forward(ctx, x, y):
    ctx.shapes = x.shape, y.shape
    return x > y


# %% less: Z31 True and False for the first cell
# says: is of type bool
def forward(ctx, x, y):
    ctx.shapes = x.shape, y.shape
    return bool((x.numpy() < y.numpy()).all())


# %% less: Z32 zero times the inputs
# keeps: all
def forward(ctx, x, y):
    ctx.save_for_backward(x, y)
    return x < y


def backward(ctx, grad_out):
    x, y = ctx.saved_tensors
    return 0 * x, 0 * y


# %% less: Z33 less or equal
# says: equal numbers are not less
def forward(ctx, x, y):
    ctx.shapes = x.shape, y.shape
    return x <= y
