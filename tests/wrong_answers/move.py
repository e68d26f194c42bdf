# ruff: noqa
# Wrong answers to permute, view and the Jacobians. bank.py says how to read this file.

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


# %% jacobian_of_pair: J01 transposed
# says: the transpose
def jacobian_of_pair():
    return [[1, 5], [0, 3]]


# %% jacobian_of_pair: J02 slopes of the other input
# says: first wrong cell [1, 0]
def jacobian_of_pair():
    return [[1, 0], [3, 5]]


# %% jacobian_of_pair: J03 values instead of slopes
# says: first wrong cell
def jacobian_of_pair():
    return [[3, 0], [15, 15]]


# %% jacobian_of_pair: J04 one row
# says: want shape (2, 2)
def jacobian_of_pair():
    return [1, 0, 5, 3]


# %% jacobian_of_sum: J05 dim 1
# says: dim 0 is the one that disappears
def jacobian_of_sum():
    return [[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]]


# %% jacobian_of_sum: J06 neighbours in storage
# says: neighbours in storage
def jacobian_of_sum():
    return [[1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1]]


# %% jacobian_of_sum: J07 transposed
# says: one row per output
def jacobian_of_sum():
    return [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]]


# %% jacobian_of_sum: J08 everything meets
# says: first wrong cell [0, 1]
def jacobian_of_sum():
    return [[1] * 6] * 3


# %% jacobian_of_sum: J09 a mean
# says: first wrong cell [0, 0]
def jacobian_of_sum():
    h = 0.5
    return [[h, 0, 0, h, 0, 0], [0, h, 0, 0, h, 0], [0, 0, h, 0, 0, h]]


# %% jacobian_of_sum: J10 rows of unequal length
# says: rows of equal length
def jacobian_of_sum():
    return [[1, 0, 0, 1], [0, 1, 0, 0, 1, 0], [0, 0, 1, 0, 0, 1]]


# %% pull_back: J11 forward direction
# says: raised ValueError
def pull_back(jacobian, grad_out):
    return np.array(jacobian) @ np.array(grad_out)


# %% pull_back: J12 column sums
# says: without grad_out
def pull_back(jacobian, grad_out):
    return np.array(jacobian).sum(axis=0)


# %% pull_back: J13 the mean
# says: contributions add up
def pull_back(jacobian, grad_out):
    return np.array(grad_out) @ np.array(jacobian) / len(grad_out)


# %% pull_back: J14 the last row wins
# says: the last row
def pull_back(jacobian, grad_out):
    grads = [0] * len(jacobian[0])
    for d, row in zip(grad_out, jacobian):
        grads = [d * slope for slope in row]
    return grads


# %% pull_back: J15 forward direction on squares
# says: any number of outputs
def pull_back(jacobian, grad_out):
    j, d = np.array(jacobian), np.array(grad_out)
    return j @ d if j.shape[0] == j.shape[1] else d @ j


# %% pull_back: J16 two outputs only
# says: any number of outputs
def pull_back(jacobian, grad_out):
    return [grad_out[0] * a + grad_out[1] * b for a, b in zip(jacobian[0], jacobian[1])]


# %% pull_back: J17 three inputs only
# says: any number of outputs
def pull_back(jacobian, grad_out):
    return [sum(d * row[k] for d, row in zip(grad_out, jacobian)) for k in range(3)]


# %% pull_back: J18 unsummed
# says: want shape (3,)
def pull_back(jacobian, grad_out):
    return [[d * slope for slope in row] for d, row in zip(grad_out, jacobian)]


# %% pull_back: J19 plain loops
# keeps: all
def pull_back(jacobian, grad_out):
    return [sum(d * row[k] for d, row in zip(grad_out, jacobian)) for k in range(len(jacobian[0]))]


# %% pull_back: J20 a tensor
# keeps: all
def pull_back(jacobian, grad_out):
    return tk.tensor(np.array(grad_out) @ np.array(jacobian))
