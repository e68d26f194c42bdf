# ruff: noqa
# Wrong answers to prod. bank.py says how to read this file.

# %% prod: F25 grad_out times product over x
# says: with a zero that divides by zero
# keeps: 1
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    return grad_out * x.prod(ctx.dim) / x, None


# %% prod: F25b nan made 0
# says: a zero factor: wrong gradient of x
# keeps: 1
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    grad = (grad_out * x.prod(ctx.dim) / x).numpy()
    return tk.tensor(np.nan_to_num(grad)), None


# %% prod: M14 epsilon in the denominator
# says: a zero factor
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    return grad_out * x.prod(ctx.dim) / (x + 1e-12), None


# %% prod: M15 the whole product
# says: leave the cell itself out
# keeps: 0
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    return (grad_out * x.prod(ctx.dim)).expand(*x.shape), None


# %% prod: M16 the rule of sum
# says: product of the others
# keeps: 0
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    return grad_out.expand(*x.shape), None


# %% prod: M17 drops grad_out
# says: as if grad_out were all ones
# keeps: 1
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    return x.prod(ctx.dim) / x, None


# %% prod: M18 right with one zero, wrong with two
# says: two zeros
# keeps: 1
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    values, dim = x.numpy(), ctx.dim
    zero = values == 0
    rest = np.where(zero, 1.0, values).prod(axis=dim, keepdims=True)
    grad = np.where(
        zero.any(axis=dim, keepdims=True),
        np.where(zero, rest, 0.0),
        rest / np.where(zero, 1.0, values),
    )
    return grad_out * tk.tensor(grad), None


# %% prod: M19 products across the other dim
# says: wrong gradient of x
# keeps: 0
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    other = (ctx.dim + 1) % x.ndim
    return grad_out * x.prod(other) / x, None


# %% prod: M20 sums the others
# says: wrong gradient of x
# keeps: 0
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    return grad_out * (x.sum(ctx.dim) - x), None


# %% prod: M21 zeros where the product is zero
# says: 0 wherever the product is 0
# keeps: 1
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    out = x.prod(ctx.dim)
    safe = x + (x == 0)
    return grad_out * out / safe, None


# %% prod: M22 forward starts at 0
# says: Prod.forward
# keeps: 0
def forward(ctx, x, dim):
    ctx.save_for_backward(x)
    ctx.dim = dim
    return x.prod(dim) * 0


# %% prod: M23 through logarithms
# says: Prod.forward
# keeps: 0
def forward(ctx, x, dim):
    ctx.save_for_backward(x)
    ctx.dim = dim
    return x.log().sum(dim).exp()


# %% prod: M24 counts the zeros
# keeps: all
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    zero = x == 0
    safe = x + zero
    rest = safe.prod(ctx.dim)
    zeros = zero.sum(ctx.dim)
    grad = (zeros == 0) * rest / safe + (zeros == 1) * zero * rest
    return grad_out * grad, None
