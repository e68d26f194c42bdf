# ruff: noqa
# Wrong answers to unbroadcast: the rest. bank.py says how to read this file.

# %% unbroadcast: U10 reads grad from storage
# says: how grad lies in memory
# keeps: 4
def unbroadcast(grad, shape):
    grad = (
        tk.tensor(grad.storage[: grad.size].reshape(grad.shape))
        if grad.strides[-1:] != (0,)
        else grad
    )
    while grad.ndim > len(shape):
        grad = grad.sum(0, keepdim=False)
    for dim, length in enumerate(shape):
        if length == 1:
            grad = grad.sum(dim)
    return grad


# %% unbroadcast: U11 changes grad when nothing is to be done
# says: changed grad in place
# keeps: 4
def unbroadcast(grad, shape):
    if grad.shape == tuple(shape):
        values = grad.numpy().copy()
        grad[...] = grad * 0
        return tk.tensor(values)
    while grad.ndim > len(shape):
        grad = grad.sum(0, keepdim=False)
    for dim, length in enumerate(shape):
        if length == 1:
            grad = grad.sum(dim)
    return grad


# %% unbroadcast: U12 returns an array
# says: is a NumPy array
# keeps: 0
def unbroadcast(grad, shape):
    values = grad.numpy()
    while values.ndim > len(shape):
        values = values.sum(0)
    for dim, length in enumerate(shape):
        if length == 1:
            values = values.sum(dim, keepdims=True)
    return values


# %% unbroadcast: U13 a plain number for shape ()
# says: every added dim
# keeps: 3
def unbroadcast(grad, shape):
    if shape == ():
        return grad.sum().item()
    while grad.ndim > len(shape):
        grad = grad.sum(0, keepdim=False)
    for dim, length in enumerate(shape):
        if length == 1:
            grad = grad.sum(dim)
    return grad


# %% unbroadcast: U14 forgets return
# says: is None
# keeps: 0
def unbroadcast(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(0, keepdim=False)


# %% unbroadcast: U15 dims of length 1 become added dims
# says: unbroadcast
def unbroadcast(grad, shape):
    for dim, length in enumerate(shape):
        if length == 1:
            grad = grad.sum(dim)
    while grad.ndim > len(shape):
        grad = grad.sum(0, keepdim=False)
    return grad


# %% unbroadcast: U16 sums dims away while looping forwards
# says: raised
def unbroadcast(grad, shape):
    extra = grad.ndim - len(shape)
    for dim in range(extra):
        grad = grad.sum(dim, keepdim=False)
    for dim, length in enumerate(shape):
        if length == 1:
            grad = grad.sum(dim, keepdim=False)
    return grad.view(*shape)


# %% unbroadcast: U17 a length 1 in grad counts as added
# says: exactly the shape
# keeps: 4
def unbroadcast(grad, shape):
    while grad.ndim > len(shape):
        if grad.shape[0] == 1 and grad.shape[1:2] == (1,):
            return grad
        grad = grad.sum(0, keepdim=False)
    for dim, length in enumerate(shape):
        if length == 1:
            grad = grad.sum(dim)
    return grad


# %% unbroadcast: U18 compares lengths from the left
# says: unbroadcast
def unbroadcast(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(grad.ndim - 1, keepdim=False)
    for dim, length in enumerate(shape):
        if length == 1:
            grad = grad.sum(dim)
    return grad


# %% unbroadcast: U19 max instead of sum
# says: first wrong cell
def unbroadcast(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.max(0, keepdim=False)
    for dim, length in enumerate(shape):
        if length == 1:
            grad = grad.max(dim)
    return grad


# %% unbroadcast: U20 sums in one go with NumPy
# keeps: all
def unbroadcast(grad, shape):
    missing = grad.ndim - len(shape)
    padded = (1,) * missing + tuple(shape)
    dims = tuple(d for d in range(grad.ndim) if padded[d] == 1)
    return tk.tensor(grad.numpy().sum(axis=dims, keepdims=True).reshape(shape))


# %% unbroadcast: U21 last dims first
# keeps: all
def unbroadcast(grad, shape):
    for back in range(1, len(shape) + 1):
        if shape[-back] == 1:
            grad = grad.sum(grad.ndim - back)
    while grad.ndim > len(shape):
        grad = grad.sum(0, keepdim=False)
    return grad


# %% unbroadcast: U22 aligns left where lengths agree, but not on a square
# says: also when lengths happen to agree on the left
# keeps: 4
def unbroadcast(grad, shape):
    shape = tuple(shape)
    lengths = zip(grad.shape, shape)
    if len(shape) < grad.ndim and len(set(grad.shape)) > 1 and all(n in (1, m) for m, n in lengths):
        if len(shape) == 2:
            values = grad.numpy().sum(
                axis=tuple(d for d in range(grad.ndim) if (*shape, 1)[d] == 1)
            )
            return tk.tensor(values.reshape(shape))
    while grad.ndim > len(shape):
        grad = grad.sum(0, keepdim=False)
    for dim, length in enumerate(shape):
        if length == 1:
            grad = grad.sum(dim)
    return grad


# %% unbroadcast: U23 sums dims of length 0, too
# says: exactly the shape
# keeps: 4
def unbroadcast(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(0, keepdim=False)
    for dim, length in enumerate(shape):
        if length <= 1:
            grad = grad.sum(dim)
    return grad
