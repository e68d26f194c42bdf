# ruff: noqa
# Wrong answers to relu. bank.py says how to read this file.

# %% relu: F07 masks by the sign of grad_out
# says: the sign of x decides
# keeps: 0
def backward(ctx, grad_out):
    return grad_out * (grad_out > 0)


# %% relu: F07b masks by both signs
# says: wrong gradient of x
# keeps: 1
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    return grad_out.relu() * (x > 0)


# %% relu: F08 returns the mask
# says: the slope alone
# keeps: 1
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    return x > 0


# %% relu: F06 grad_out twice
# says: grad_out times grad_out
# keeps: 1
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    return grad_out * grad_out * (x > 0)


# %% relu: H19 no gate
# says: multiply it by the slope
def backward(ctx, grad_out):
    return grad_out


# %% relu: H20 gate the wrong way round
# says: open where x is negative
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    return grad_out * (x < 0)


# %% relu: H21 scales by the output
# says: grad_out times the output
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    return grad_out * x.relu()


# %% relu: H22 changes x in place
# says: changed x in place
# keeps: 1
def forward(ctx, x):
    ctx.mask = x > 0
    x[...] = x.relu()
    return x


def backward(ctx, grad_out):
    return grad_out * ctx.mask


# %% relu: H23 absolute value
# says: ReLU.forward
# keeps: 0
def forward(ctx, x):
    ctx.save_for_backward(x)
    return x.maximum(-x)


# %% relu: H24 gate in whole numbers: open above 1 only
# says: wrong gradient of x
# keeps: 0
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    return grad_out * (x > 1)


# %% relu: H25 backward returns a list
# keeps: all
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    return (grad_out * (x > 0),)


# %% relu: H26 masks by the output
# keeps: all
def forward(ctx, x):
    out = x.relu()
    ctx.save_for_backward(out)
    return out


# %% relu: H27 at zero the gate is open
# keeps: all
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    return grad_out * (x >= 0)


# %% relu: H32 branches on a whole tensor
# says: at your line: return x if x > 0 else 0
# keeps: 0
def forward(ctx, x):
    ctx.x = x
    return x if x > 0 else 0


# %% relu: H34 branches on a whole tensor in backward
# says: a mask such as x > 0 asks each
# keeps: 0
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    if x > 0:
        return grad_out
    return 0
