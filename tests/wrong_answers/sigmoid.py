# ruff: noqa
# Wrong answers to sigmoid. bank.py says how to read this file.

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


# %% sigmoid: H30 methods of an object, not static
# says: write @staticmethod above it
# keeps: 0
class Sigmoid(tk.Function):
    def forward(self, ctx, x):
        self.out = x.sigmoid()
        return self.out

    def backward(self, ctx, grad_out):
        return grad_out * self.out * (1 - self.out)
