# ruff: noqa
# Wrong answers to mul. bank.py says how to read this file.

# %% mul: F01 wrong partner
# says: each input gets the other
# keeps: 0
def backward(ctx, grad_out):
    x, y = ctx.saved_tensors
    return grad_out * x, grad_out * y


# %% mul: F02 drops grad_out
# says: multiply them by grad_out
# keeps: 1
def backward(ctx, grad_out):
    x, y = ctx.saved_tensors
    return y, x


# %% mul: F06 grad_out twice
# says: grad_out times grad_out
# keeps: 1
def backward(ctx, grad_out):
    x, y = ctx.saved_tensors
    return grad_out * grad_out * y, grad_out * grad_out * x


# %% mul: Z07 the rule of add
# says: the rule of x + y
def backward(ctx, grad_out):
    return grad_out, grad_out


# %% mul: Z08 y for both
# says: y needs x
def backward(ctx, grad_out):
    x, y = ctx.saved_tensors
    return grad_out * y, grad_out * y


# %% mul: Z09 grad_out only for the first
# says: wrong gradient of y
# keeps: 1
def backward(ctx, grad_out):
    x, y = ctx.saved_tensors
    return grad_out * y, x


# %% mul: Z10 the product for both
# says: leave the input itself out
def backward(ctx, grad_out):
    x, y = ctx.saved_tensors
    return grad_out * x * y, grad_out * x * y


# %% mul: Z11 output divided by the input
# says: an input may be zero
# keeps: 1
def forward(ctx, x, y):
    out = x * y
    ctx.save_for_backward(x, y, out)
    return out


def backward(ctx, grad_out):
    x, y, out = ctx.saved_tensors
    return grad_out * out / x, grad_out * out / y


# %% mul: Z12 returns the sum of both
# says: returned 1 value, not 2
# keeps: 0
def backward(ctx, grad_out):
    x, y = ctx.saved_tensors
    return grad_out * y + grad_out * x


# %% mul: Z13 reads partners from storage
# says: how the inputs lie in memory
# keeps: 1
def backward(ctx, grad_out):
    x, y = ctx.saved_tensors
    raw = lambda t: tk.tensor(t.storage[: t.size].reshape(t.shape))
    return grad_out * raw(y), grad_out * raw(x)


# %% mul: Z14 wrong when both are the same tensor
# says: one tensor used as both inputs
# keeps: 1
def backward(ctx, grad_out):
    x, y = ctx.saved_tensors
    if x is y or x.storage is y.storage:
        return grad_out * y, tk.zeros(*x.shape)
    return grad_out * y, grad_out * x


# %% mul: Z15 saved on the class
# says: must not disturb each other
# keeps: 1
def forward(ctx, x, y):
    Mul.x, Mul.y = x, y
    return x * y


def backward(ctx, grad_out):
    return grad_out * Mul.y, grad_out * Mul.x


# %% mul: Z16 transposed partner
# says: wrong gradient
# keeps: 0
def backward(ctx, grad_out):
    x, y = ctx.saved_tensors
    flip = lambda t: t.permute(1, 0).contiguous().view(*t.shape)
    return grad_out * flip(y), grad_out * flip(x)


# %% mul: Z17 one sign turned
# says: one sign turned
# keeps: 0
def backward(ctx, grad_out):
    x, y = ctx.saved_tensors
    return grad_out * y, -grad_out * x


# %% mul: Z18 gradients in a list, three of them
# says: returned 3 values, not 2
# keeps: 0
def backward(ctx, grad_out):
    x, y = ctx.saved_tensors
    return grad_out * y, grad_out * x, None


# %% mul: Z19 sums over all cells
# says: want shape (2, 3)
# keeps: 0
def backward(ctx, grad_out):
    x, y = ctx.saved_tensors
    return (grad_out * y).sum(), (grad_out * x).sum()


# %% mul: Z20 grad_out reduced to its mean
# says: wrong gradient of x
# keeps: 1
def backward(ctx, grad_out):
    x, y = ctx.saved_tensors
    return grad_out.mean() * y, grad_out.mean() * x


# %% mul: Z21 forward adds
# says: Mul.forward
# keeps: 0
def forward(ctx, x, y):
    ctx.save_for_backward(x, y)
    return x + y


# %% mul: Z22 a typing error
# says: at your line: return grad_out * y, grad_out * xx
# keeps: 0
def backward(ctx, grad_out):
    x, y = ctx.saved_tensors
    return grad_out * y, grad_out * xx


# %% mul: Z23 in another order of factors
# keeps: all
def backward(ctx, grad_out):
    x, y = ctx.saved_tensors
    return y * grad_out, x * grad_out


# %% mul: Z24 through NumPy
# keeps: all
def backward(ctx, grad_out):
    x, y = ctx.saved_tensors
    g = grad_out.numpy()
    return tk.tensor(g * y.numpy()), tk.tensor(g * x.numpy())


# %% mul: Z25 nothing saved
# says: as many tensors come back as forward gave to ctx.save_for_backward
# keeps: 0
def forward(ctx, x, y):
    return x * y
