# ruff: noqa
# Wrong answers to unbroadcast: the known ones and those of shape. bank.py says how to read this file.

# %% unbroadcast: A01 mean instead of sum
# says: every copy contributed
# keeps: 0
def unbroadcast(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.mean(0, keepdim=False)
    for dim, length in enumerate(shape):
        if length == 1:
            grad = grad.mean(dim)
    return grad


# %% unbroadcast: A02 keeps only the first slice
# says: the share of one copy
# keeps: 0
def unbroadcast(grad, shape):
    values = grad.numpy()
    while values.ndim > len(shape):
        values = values[0]
    for dim, length in enumerate(shape):
        if length == 1:
            values = values.take([0], axis=dim)
    return tk.tensor(values)


# %% unbroadcast: A03 sums leading dims only
# says: the sum over the added dims only
def unbroadcast(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(0, keepdim=False)
    return grad


# %% unbroadcast: A05 aligns left
# says: unbroadcast
def unbroadcast(grad, shape):
    padded = tuple(shape) + (1,) * (grad.ndim - len(shape))
    for dim, length in enumerate(padded):
        if length == 1:
            grad = grad.sum(dim)
    return grad.contiguous().view(*shape)


# %% unbroadcast: A05b aligns left where lengths agree
# says: shapes are aligned from the right
def unbroadcast(grad, shape):
    shape = tuple(shape)
    if len(shape) < grad.ndim and shape == grad.shape[: len(shape)]:
        while grad.ndim > len(shape):
            grad = grad.sum(grad.ndim - 1, keepdim=False)
        return grad
    while grad.ndim > len(shape):
        grad = grad.sum(0, keepdim=False)
    for dim, length in enumerate(shape):
        if length == 1:
            grad = grad.sum(dim)
    return grad


# %% unbroadcast: A06 sums everything, then broadcasts
# says: grad.sum() in every cell
def unbroadcast(grad, shape):
    return tk.full(tuple(shape), grad.sum().item())


# %% unbroadcast: A07 leaves the rank too high
# says: want shape (3,)
def unbroadcast(grad, shape):
    padded = (1,) * (grad.ndim - len(shape)) + tuple(shape)
    for dim, length in enumerate(padded):
        if length == 1:
            grad = grad.sum(dim)
    return grad


# %% unbroadcast: U01 reshapes
# says: unbroadcast
def unbroadcast(grad, shape):
    return grad.view(*shape)


# %% unbroadcast: U02 cuts off the first cells
# says: do not cut off
def unbroadcast(grad, shape):
    size = int(np.prod(shape))
    return tk.tensor(grad.numpy().reshape(-1)[:size].reshape(shape))


# %% unbroadcast: U03 returns grad
# says: want shape (3,)
# keeps: 0
def unbroadcast(grad, shape):
    return grad


# %% unbroadcast: U04 expands instead
# says: raised ShapeError
def unbroadcast(grad, shape):
    return grad.expand(*shape)


# %% unbroadcast: U05 counts the copies
# says: the number of copies
def unbroadcast(grad, shape):
    grad = tk.ones(*grad.shape)
    while grad.ndim > len(shape):
        grad = grad.sum(0, keepdim=False)
    for dim, length in enumerate(shape):
        if length == 1:
            grad = grad.sum(dim)
    return grad


# %% unbroadcast: U06 drops the dims of length 1
# says: want shape (2, 1)
def unbroadcast(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(0, keepdim=False)
    for dim in reversed(range(len(shape))):
        if shape[dim] == 1:
            grad = grad.sum(dim, keepdim=False)
    return grad


# %% unbroadcast: U07 one leading dim at most
# says: every added dim
# keeps: 4
def unbroadcast(grad, shape):
    if grad.ndim == len(shape) + 1:
        grad = grad.sum(0, keepdim=False)
    elif grad.ndim == len(shape) + 2:
        grad = grad.sum(0, keepdim=False).max(0, keepdim=False)
    for dim, length in enumerate(shape):
        if length == 1:
            grad = grad.sum(dim)
    return grad


# %% unbroadcast: U08 the last dim of length 1 only
# says: every dim of length 1
def unbroadcast(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(0, keepdim=False)
    if len(shape) and shape[-1] == 1:
        grad = grad.sum(grad.ndim - 1)
    return grad


# %% unbroadcast: U09 stops after the first dim of length 1
# says: every dim of length 1
# keeps: 3
def unbroadcast(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(0, keepdim=False)
    for dim, length in enumerate(shape):
        if length == 1:
            return grad.sum(dim)
    return grad
