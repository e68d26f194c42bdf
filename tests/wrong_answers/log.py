# ruff: noqa
# Wrong answers to log. bank.py says how to read this file.

# %% log: F06 grad_out twice
# says: grad_out times grad_out
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    return grad_out * grad_out / x


# %% log: F08 the slope alone
# says: the slope alone
# keeps: 1
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    return 1 / x


# %% log: F28 epsilon in both directions
# says: nothing is added to x here
def forward(ctx, x):
    ctx.save_for_backward(x + 1e-6)
    return (x + 1e-6).log()


# %% log: F28b epsilon in backward only
# says: nothing is added to x here
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    return grad_out / (x + 1e-6)


# %% log: F28c epsilon in forward only
# says: nothing is added to x here
def forward(ctx, x):
    ctx.save_for_backward(x)
    return (x + 1e-6).log()


# %% log: F28d a small epsilon in backward
# says: exact for small inputs
# keeps: 1
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    return grad_out / (x + 1e-8)


# %% log: P04 -1/x² instead of 1/x
# says: wrong gradient of x
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    return -grad_out / (x * x)


# %% log: H01 times x
# says: the slope of log x is 1/x
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    return grad_out * x


# %% log: H02 divides by the output
# says: divide by the saved input
def forward(ctx, x):
    out = x.log()
    ctx.save_for_backward(out)
    return out


# %% log: H03 passes grad_out on
# says: multiply it by the slope
def backward(ctx, grad_out):
    return grad_out


# %% log: H04 returns a NumPy array
# says: is a NumPy array
# keeps: 0
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    return grad_out.numpy() / x.numpy()


# %% log: H05 reads grad_out from storage
# says: how grad_out lies in memory
# keeps: 1
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    flat = grad_out.storage[: grad_out.size].reshape(grad_out.shape)
    return tk.tensor(flat) / x


# %% log: H06 reads x from storage
# says: how the inputs lie in memory
# keeps: 1
def forward(ctx, x):
    values = x.storage[: x.size].reshape(x.shape)
    ctx.save_for_backward(tk.tensor(values))
    return tk.tensor(np.log(values))


# %% log: H07 log to base 10
# says: Log.forward
# keeps: 0
def forward(ctx, x):
    ctx.save_for_backward(x)
    return x.log() / 2.302585092994046


# %% log: H08 changes grad_out in place
# says: changed grad_out in place
# keeps: 1
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    grad_out[...] = grad_out / x
    return grad_out


# %% log: H09 needs two dims
# says: in every shape
# keeps: 1
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    rows, columns = x.shape
    return (grad_out / x).view(rows, columns)


# %% log: H10 hands back one number
# says: got shape (), want shape (2, 3)
def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    return (grad_out / x).sum()


# %% log: H11 nothing saved
# says: raised ValueError
# keeps: 0
def forward(ctx, x):
    return x.log()


# %% log: H28 prints, warns and logs
# keeps: all
def backward(ctx, grad_out):
    import logging, sys, warnings

    (x,) = ctx.saved_tensors
    print("here", grad_out)
    print("there", file=sys.stderr)
    warnings.warn("careful")
    logging.getLogger("homework").error("noted")
    return grad_out / x


# %% log: H29 loops without end
# says: no answer within
# keeps: 0
def backward(ctx, grad_out):
    while True:
        pass


# %% log: H31 own attributes instead of save_for_backward
# keeps: all
def forward(ctx, x):
    ctx.x = x
    return x.log()


def backward(ctx, grad_out):
    return grad_out / ctx.x


# %% log: H33 the tuple itself
# says: ctx.saved_tensors is a tuple, even of one tensor
# keeps: 0
def backward(ctx, grad_out):
    x = ctx.saved_tensors
    return grad_out / x
