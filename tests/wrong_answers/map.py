# ruff: noqa
# Wrong answers to the map tasks. bank.py says how to read this file.

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


# %% sigmoid: F03 drops grad_out
# says: the slope alone
# keeps: 1
def backward(ctx, grad_out):
    (out,) = ctx.saved_tensors
    return out * (1 - out)


# %% sigmoid: F04 x(1 - x) with the input
# says: use the output s, not x
# keeps: 0
def forward(ctx, x):
    ctx.save_for_backward(x)
    return x.sigmoid()


# %% sigmoid: F06 grad_out twice
# says: grad_out times grad_out
# keeps: 1
def backward(ctx, grad_out):
    (out,) = ctx.saved_tensors
    return grad_out * grad_out * out * (1 - out)


# %% sigmoid: P02 forward overflows to nan
# says: far from zero
# keeps: 1
def forward(ctx, x):
    grown = x.numpy()
    out = tk.tensor(np.exp(grown) / (1 + np.exp(grown)))
    ctx.save_for_backward(out)
    return out


# %% sigmoid: H12 backward from exp overflows to nan
# says: far from zero
# keeps: 1
def forward(ctx, x):
    ctx.save_for_backward(x)
    return x.sigmoid()


def backward(ctx, grad_out):
    (x,) = ctx.saved_tensors
    shrunk = np.exp(-x.numpy())
    return grad_out * tk.tensor(shrunk / (1 + shrunk) ** 2)


# %% sigmoid: H13 only (1 - s)
# says: the factor s is missing
def backward(ctx, grad_out):
    (out,) = ctx.saved_tensors
    return grad_out * (1 - out)


# %% sigmoid: H14 applies the sigmoid once more
# says: wrong gradient of x
# keeps: 0
def backward(ctx, grad_out):
    (out,) = ctx.saved_tensors
    again = out.sigmoid()
    return grad_out * again * (1 - again)


# %% sigmoid: H15 the sign turned
# says: the sign turned
def backward(ctx, grad_out):
    (out,) = ctx.saved_tensors
    return grad_out * out * (out - 1)


# %% sigmoid: H16 remembers on the class
# says: must not disturb each other
# keeps: 1
def forward(ctx, x):
    Sigmoid.kept = x.sigmoid()
    return Sigmoid.kept


def backward(ctx, grad_out):
    return grad_out * Sigmoid.kept * (1 - Sigmoid.kept)


# %% sigmoid: H17 uses up what it saved
# says: a second backward
# keeps: 1
def forward(ctx, x):
    ctx.kept = [x.sigmoid()]
    return x.sigmoid()


def backward(ctx, grad_out):
    out = ctx.kept.pop()
    return grad_out * out * (1 - out)


# %% sigmoid: H18 tanh instead
# says: Sigmoid.forward
# keeps: 0
def forward(ctx, x):
    out = x.tanh()
    ctx.save_for_backward(out)
    return out


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


# %% sigmoid: H30 methods of an object, not static
# says: write @staticmethod above it
# keeps: 0
class Sigmoid(tk.Function):
    def forward(self, ctx, x):
        self.out = x.sigmoid()
        return self.out

    def backward(self, ctx, grad_out):
        return grad_out * self.out * (1 - self.out)


# %% log: H31 own attributes instead of save_for_backward
# keeps: all
def forward(ctx, x):
    ctx.x = x
    return x.log()


def backward(ctx, grad_out):
    return grad_out / ctx.x


# %% relu: H32 branches on a whole tensor
# says: at your line: return x if x > 0 else 0
# keeps: 0
def forward(ctx, x):
    ctx.x = x
    return x if x > 0 else 0
