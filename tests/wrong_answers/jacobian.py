# ruff: noqa
# Wrong answers to jacobian_of_pair and jacobian_of_sum and pull_back. bank.py says how to read this file.

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
