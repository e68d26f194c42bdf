# ruff: noqa
# Wrong answers to permute. bank.py says how to read this file.

# %% permute: F18 order of order
# says: every order is followed
# keeps: 1
def backward(ctx, grad_out):
    order = ctx.order
    if len(order) > 2:
        return grad_out.permute(*[order[k] for k in order]), None
    return grad_out.permute(*order), None


# %% permute: F18b order of order, swaps too
# says: wrong gradient of x
def backward(ctx, grad_out):
    return grad_out.permute(*[ctx.order[k] for k in ctx.order]), None


# %% permute: F19 re-reads storage in the old shape
# says: read in order into the old shape
# keeps: 1
def forward(ctx, x, order):
    ctx.shape = x.shape
    return x.permute(*order)


def backward(ctx, grad_out):
    return tk.tensor(grad_out.numpy().reshape(ctx.shape)), None


# %% permute: F19b re-reads the raw storage
# says: wrong gradient of x
# keeps: 1
def forward(ctx, x, order):
    ctx.shape = x.shape
    return x.permute(*order)


def backward(ctx, grad_out):
    size = grad_out.size
    return tk.tensor(grad_out.storage[:size].reshape(ctx.shape)), None


# %% permute: V01 the same order again
# says: every order is followed
# keeps: 1
def backward(ctx, grad_out):
    return grad_out.permute(*ctx.order), None


# %% permute: V02 the reversed order
# says: Permute
def backward(ctx, grad_out):
    return grad_out.permute(*reversed(ctx.order)), None


# %% permute: V03 all dims reversed
# says: every order is followed
# keeps: 1
def backward(ctx, grad_out):
    return grad_out.permute(*reversed(range(grad_out.ndim))), None


# %% permute: V04 grad_out as it came
# says: want shape (2, 3)
# keeps: 0
def backward(ctx, grad_out):
    return grad_out, None


# %% permute: V05 ones
# says: as if grad_out were all ones
# keeps: 1
def forward(ctx, x, order):
    ctx.shape = x.shape
    return x.permute(*order)


def backward(ctx, grad_out):
    return tk.ones(*ctx.shape), None


# %% permute: V06 forward is a view
# says: that is view, not permute
# keeps: 0
def forward(ctx, x, order):
    ctx.order = order
    return x.contiguous().view(*[x.shape[d] for d in order])


# %% permute: V07 forward and backward swapped
# says: Permute.forward: property failed: every order is followed
def forward(ctx, x, order):
    ctx.order = order
    back = [order.index(d) for d in range(len(order))]
    return x.permute(*back)


def backward(ctx, grad_out):
    return grad_out.permute(*ctx.order), None


# %% permute: V08 forgets None for order
# says: None for order
# keeps: 1
def backward(ctx, grad_out):
    back = [ctx.order.index(d) for d in range(len(ctx.order))]
    return grad_out.permute(*back)


# %% permute: V09 the inverse by argsort
# keeps: all
def backward(ctx, grad_out):
    return grad_out.permute(*np.argsort(ctx.order).tolist()), None


# %% permute: V10 swaps the last two dims
# says: every order is followed
# keeps: 1
def backward(ctx, grad_out):
    order = list(range(grad_out.ndim))
    order[-2:] = order[-2:][::-1]
    return grad_out.permute(*order), None
