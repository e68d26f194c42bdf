"""A learner's loop: what it did is told as it happened, and the first wrong thing is explained."""

import numpy as np
import pytest

import tensorkit as tk
from tensorkit.pictures.learner import learner_scene

A = np.array(
    [[7, 4, 3, -1, 0, -4], [-3, -4, -2, 7, 5, 8], [3, 4, 9, 6, 4, 3], [3, 9, -1, 7, 5, -4.0]]
)
X = tk.tensor([[1.0, -2.0, 3.0], [4.0, 5.0, 6.5]])


def to_index(ordinal, shape):
    index = [0] * len(shape)
    for d in range(len(shape) - 1, -1, -1):
        index[d] = ordinal % shape[d]
        ordinal = ordinal // shape[d]
    return index


def position(index, strides):
    return sum(i * s for i, s in zip(index, strides, strict=True))


def cells(shape):
    return range(int(np.prod(shape)))


def good_map(out, out_shape, out_strides, a, a_shape, a_strides):
    for o in cells(out_shape):
        index = to_index(o, out_shape)
        out[position(index, out_strides)] = -a[position(index, a_strides)]


def good_zip(out, out_shape, out_strides, a, a_shape, a_strides, b, b_shape, b_strides):
    for o in cells(out_shape):
        index = to_index(o, out_shape)
        i, j = (
            [0 if n == 1 else k for k, n in zip(index[len(index) - len(s) :], s, strict=True)]
            for s in (a_shape, b_shape)
        )
        out[position(index, out_strides)] = a[position(i, a_strides)] / b[position(j, b_strides)]


def good_reduce(out, out_shape, out_strides, a, a_shape, a_strides, dim):
    for o in cells(out_shape):
        index = to_index(o, out_shape)
        at = position(index, out_strides)
        for j in range(a_shape[dim]):
            index[dim] = j
            out[at] += a[position(index, a_strides)]


def told(loop, *inputs, **options):
    return learner_scene(loop, *inputs, **options)


def first_bad(scene):
    """Return the number and the words of the first step that is wrong."""
    return next((k, step.say) for k, step in enumerate(scene.steps) if step.wrong)


@pytest.mark.parametrize(
    ("loop", "inputs", "options"),
    [
        (good_map, [X], {"like": tk.neg}),
        (good_map, [X.permute(1, 0)], {"like": tk.neg, "out_strides": (1, 4), "start": 9.0}),
        (good_map, [X.view(1, 3, 1, 2)], {"like": lambda v: -v}),
        (good_map, [tk.tensor(3.0)], {"like": tk.neg}),
        (good_zip, [X, tk.tensor([[2.0], [4.0]])], {"like": tk.div, "start": np.nan}),
        (good_zip, [X.permute(1, 0), tk.tensor([2.0, 5.0])], {"like": lambda a, b: a / b}),
        (good_reduce, [A], {"dim": 0}),
        (good_reduce, [A], {"dim": -1, "start": 7.0}),
        (good_reduce, [X.permute(1, 0).view(3, 2, 1)], {"dim": 1, "out_strides": (2, 2, 9)}),
        (good_reduce, [X], {"dim": 0, "like": lambda total, v: total + v}),
    ],
)
def test_a_right_loop_is_told_to_be_right(loop, inputs, options):
    scene = told(loop, *inputs, **options)
    assert not any(step.wrong for step in scene.steps)
    assert scene.steps[-1].say.startswith("Every cell of out is right")
    assert {k for k in scene.steps[-1].roles["expected"] if k.startswith("out.")}


def test_a_step_says_what_was_read_and_written():
    scene = told(good_reduce, A, dim=0)
    assert scene.steps[0].say == "good_reduce is called with a and out, which holds 0."
    assert scene.steps[2].say == "Reads a[6] = −3: out[0] goes from 7 to 4."
    line = scene.code.lines[scene.steps[2].line - scene.code.first]
    assert [line[a:b] for a, b in scene.steps[2].marks] == [
        "out[at]",
        "a[position(index, a_strides)]",
    ]
    assert scene.steps[2].variables == "dim=0   o=0   index=[1,\N{NO-BREAK SPACE}0]   at=0   j=1"
    assert scene.state(2).texts["out.0"] == "4" and scene.state(2).texts["out_storage.0"] == "4"
    assert set(scene.links["out.1"]) >= {"a.1", "a.7", "a.13", "a.19", "a_storage.19"}


def test_the_first_wrong_read_is_explained_and_drawn():
    def along_memory(out, out_shape, out_strides, a, a_shape, a_strides, dim):
        for o in range(len(out)):
            for j in range(a_shape[dim]):
                out[o] += a[o + j]

    scene = told(along_memory, A, dim=0)
    assert first_bad(scene)[0] == 2
    step = scene.steps[8]
    assert step.say == (
        "Reads a[4] = 0: out[1] goes from 6 to 6. "
        "out[1] is the sum of a[1], a[7], a[13], a[19]: a[4] is not one of them."
    )
    assert set(step.roles["wrong"]) == {"a.4", "a_storage.4"}
    line = scene.code.lines[step.line - scene.code.first]
    assert [line[a:b] for a, b in step.marks] == ["a[o + j]"], "only what is wrong is underlined"
    assert {"a.1", "a.7", "a.13", "a.19"} < set(step.roles["expected"])
    assert scene.steps[-1].say == (
        "6 of 6 cells of out are wrong: out[0] is 13, and should be 10. Look at step 2 first."
    )


MAP = "out, out_shape, out_strides, a, a_shape, a_strides"
WRONG = {
    "ignores the strides of its input": (
        "for o in range(6):\n    out[o] = -a[o]",
        [X.permute(1, 0)], {"like": tk.neg},
        "out[1] is made from a[3]: a[1] is not it. The strides of a are (1, 3).",
    ),
    "ignores the strides of out": (
        "for o in range(6):\n    out[o] = -a[o]",
        [X], {"like": tk.neg, "out_strides": (1, 2)},
        "What was read belongs to cell [0, 1], which sits at 0·1 + 1·2 = 2: "
        "position 1 is cell [1, 0].",
    ),
    "writes where no cell is": (
        "for o in range(6):\n    out[o] = -a[o]",
        [X], {"like": tk.neg, "out_strides": (4, 1)},
        "With strides (4, 1) no cell of out sits at position 3.",
    ),
    "leaves the last cell out": (
        "for o in range(5):\n    out[o] = -a[o]",
        [X], {"like": tk.neg},
        "out[5] was never written.",
    ),
    "uses another formula": (
        "for o in range(6):\n    out[o] = a[o] * 2",
        [X], {"like": tk.neg},
        "out[0] should be −1. The right cell was read: look at the formula.",
    ),
    "adds to what was there": (
        "for o in range(6):\n    out[o] += -a[o]",
        [X], {"like": tk.neg, "start": 7.0},
        "out held 7 before, and that was added: a map overwrites.",
    ),
    "changes its input": (
        "for o in range(6):\n    out[o] = -a[o]\na[2] = 0",
        [X], {"like": tk.neg},
        "a is an input: the loop must not change it.",
    ),
    "swaps the operands": (
        "for o in range(6):\n    out[o] = b[o % 3] - a[o]",
        [X, [10.0, 20.0, 30.0]], {"like": tk.sub},
        "The right cells were read: look at the formula, and at the order.",
    ),
    "does not broadcast": (
        "for o in range(6):\n    out[o] = a[o] * b[o // 2]",
        [X, [10.0, 20.0, 30.0]], {"like": tk.mul},
        "out[1] is made from a[1] and b[1]: b[0] is not one of them.",
    ),
    "adds to an input that it repeats": (
        "for o in range(6):\n    out[o] += a[o] + b[o % 3]",
        [X, [10.0, 20.0, 30.0]], {"like": tk.add, "start": 3.0},
        "out held 3 before, and that was added: a zip overwrites.",
    ),
    "forgets the last of each": (
        "for o in range(2):\n    for j in range(2):\n        out[o] += a[3 * o + j]",
        [X], {"dim": 1},
        "out[0] is the sum of a[0], a[1], a[2]. a[2]: it was never read.",
    ),
    "meets one twice": (
        "for o in range(2):\n    for j in (0, 1, 1, 2):\n        out[o] += a[3 * o + j]",
        [X], {"dim": 1},
        "out[0] is the sum of a[0], a[1], a[2]: a[1] was read again.",
    ),
    "keeps the last only": (
        "for o in range(2):\n    for j in range(3):\n        out[o] = a[3 * o + j]",
        [X], {"dim": 1},
        "It holds only the last cell that was read: fold into what is there.",
    ),
    "leaves the start out": (
        "for o in range(2):\n    t = 0\n    for j in range(3):\n        t += a[3 * o + j]\n"
        "    out[o] = t",
        [X], {"dim": 1, "start": 5.0},
        "out held 5 before, and a fold goes on from there: that was left out.",
    ),
    "leaves the start of a product out": (
        "for o in range(2):\n    t = 1\n    for j in range(3):\n        t *= a[3 * o + j]\n"
        "    out[o] = t",
        [X], {"dim": 1, "start": 5.0, "like": tk.prod},
        "out held 5 before, and a fold goes on from there: that was left out.",
    ),
    "folds another way": (
        "for o in range(2):\n    for j in range(3):\n        out[o] -= a[3 * o + j]",
        [X], {"dim": 1},
        "All its cells were read: look at how they are put together.",
    ),
    "reduces the other dim": (
        "for o in range(3):\n    for j in range(2):\n        out[o] += a[2 * o + j]",
        [X], {"dim": 0},
        "out[0] is the sum of a[0] and a[3]: a[1] is not one of them.",
    ),
    "counts from the end": (
        "for o in range(6):\n    out[o] = -a[o - 1]",
        [X], {"like": tk.neg},
        "Reads a[5], counted from the end, = 6.5: out[0] becomes −6.5. "
        "out[0] is made from a[0]: a[5] is not it.",
    ),
    "reads into a local first": (
        "for o in range(6):\n    v = a[5 - o]\n    out[o] = -v",
        [X], {"like": tk.neg},
        "Reads a[5] = 6.5. out[0] is made from a[0]: a[5] is not it.",
    ),
}  # fmt: skip


def loop_of(body, inputs, dim):
    more = ", b, b_shape, b_strides" if len(inputs) == 2 else ", dim" if dim is not None else ""
    lines = [f"def loop({MAP}{more}):", *(f"    {line}" for line in body.split("\n"))]
    names = {}
    exec("\n".join(lines), names)
    return names["loop"]


@pytest.mark.parametrize("mistake", WRONG)
def test_every_mistake_has_its_sentence(mistake):
    body, inputs, options, words = WRONG[mistake]
    scene = told(loop_of(body, inputs, options.get("dim")), *inputs, **options)
    said = [step.say for step in scene.steps if step.wrong]
    assert words in said[0], said
    assert scene.steps[-1].wrong
    assert scene.code is None, "a loop without a file has no code beside it"


@pytest.mark.parametrize(
    ("body", "words", "bad"),
    [
        ("pass", "Nothing was written: a loop fills out", False),
        ("out = [-v for v in a]", "Nothing was written: a loop fills out", False),
        ("return [-v for v in a]", "It returned a list and wrote nothing: fill out instead", False),
        ("return -a", "It returned a ndarray and wrote nothing", False),
        ("yield out", "Nothing ran: with a yield in it", False),
        ("raise NotImplementedError", "Yours to write: one line raises", False),
        ("out[0] = a[6]", "One line stopped with IndexError: a[6]: the storage of a has pos", True),
        ("out[9] = a[0]", "IndexError: out[9]: the storage of out has positions 0 to 5", True),
        ("out[0] = nothing", "NameError: name 'nothing' is not defined", True),
        ("assert False", "One line stopped with AssertionError.", True),
        ("while True: pass", "stopped after 1000 instructions", True),
        ("while True: out[0] = a[0]", "Of its 15 steps, the first 4 are shown", True),
    ],
)
def test_every_end_has_its_sentence(monkeypatch, body, words, bad):
    monkeypatch.setattr("tensorkit.recorder.INSTRUCTIONS", 1000)
    monkeypatch.setattr("tensorkit.recorder.TOUCHES", 30)
    monkeypatch.setattr("tensorkit.pictures.learner.ENDLESS", 4)
    scene = told(loop_of(body, [X], None), X, like=tk.neg)
    assert words in scene.steps[-1].say
    assert scene.steps[-1].wrong is bad
    assert scene.png(-1)


def test_the_end_lights_the_line_of_an_exception():
    def loop(out, out_shape, out_strides, a, a_shape, a_strides):
        out[0] = -a[0]
        out[1] = -a[17]

    step = told(loop, X, like=tk.neg).steps[-1]
    assert step.line == loop.__code__.co_firstlineno + 2
    assert step.say.startswith(f"Line {step.line} stopped with IndexError: a[17]")


def test_a_stub_is_met_gently():
    def stub(out, out_shape, out_strides, a, a_shape, a_strides):
        # TODO: your loop
        raise NotImplementedError("task 2.3")

    scene = told(stub, X, like=tk.neg)
    line = stub.__code__.co_firstlineno + 2
    assert scene.steps[-1].say == (
        f"Yours to write: line {line} raises NotImplementedError. Put your loop there."
    )
    assert not scene.steps[-1].wrong


def test_reading_ahead_is_fine_when_out_is_right():
    def hoist(out, out_shape, out_strides, a, a_shape, a_strides, b, b_shape, b_strides):
        for i in range(2):
            left = a[i]
            for j in range(3):
                out[3 * i + j] = left * b[j]

    scene = told(hoist, [[2.0], [3.0]], [10.0, 20.0, 30.0], like=tk.mul)
    assert not any(step.wrong for step in scene.steps)


def test_numpy_in_one_line_is_followed_too():
    def vectors(out, out_shape, out_strides, a, a_shape, a_strides, dim):
        out[:] = a.reshape(a_shape).sum(axis=dim)

    scene = told(vectors, A, dim=0)
    assert scene.steps[-1].say == "Every cell of out is right: it agrees with sum over dim 0."
    assert len(scene.steps) == 3


def test_a_write_that_nobody_could_see_still_counts():
    def behind(out, out_shape, out_strides, a, a_shape, a_strides):
        np.asarray(out)[:] = -np.asarray(a)

    scene = told(behind, X, like=tk.neg)
    assert scene.steps[-1].say == "Every cell of out is right: it agrees with neg."
    assert scene.state(-1).texts["out.5"] == "−6.5"


def test_without_a_reference_nothing_is_judged():
    scene = told(good_map, X)
    assert "With like=tk.neg, say, out would be compared." in scene.steps[-1].say
    assert not any(step.wrong for step in scene.steps)


def test_nothing_to_do_is_right():
    scene = told(good_map, tk.zeros((0, 3)), like=tk.neg)
    assert scene.steps[-1].say == "out has no cells, so there was nothing to do."
    empty = told(good_reduce, tk.zeros((2, 0)), dim=1)
    assert empty.steps[-1].say.startswith("Every cell of out is right")


def test_a_long_run_is_cut_and_says_so(monkeypatch):
    monkeypatch.setattr("tensorkit.pictures.learner.SHOWN", 3)
    scene = told(good_map, X, like=tk.neg)
    assert len(scene.steps) == 5
    assert scene.steps[-1].say.endswith("Of its 6 steps, the first 3 are shown.")
    assert scene.state(-1).texts["out.5"] == "−6.5"


def test_parameters_keep_the_names_that_the_learner_gave_them():
    def mine(out, shape, strides, source, source_shape, source_strides, reduce_dim):
        out[0] += source[1]

    scene = told(mine, X, dim=1)
    assert scene.steps[1].say.startswith("Reads source[1] = −2: out[0] goes from 0 to −2. ")
    assert {"source  (2, 3)", "storage of source"} <= {text.text for text in scene.texts}


def test_the_callers_tensors_stay_as_they_were():
    def spoil(out, out_shape, out_strides, a, a_shape, a_strides):
        a[:] = 0

    before = X.tolist()
    told(spoil, X, like=tk.neg)
    assert X.tolist() == before


def test_what_does_not_fit_is_refused_before_anything_runs():
    def short(out, a, b, c):
        raise AssertionError("must not run")

    with pytest.raises(TypeError, match=r"short has 4 parameters \(out, a, b, c\); a loop takes"):
        told(short, X, like=tk.neg)
    with pytest.raises(TypeError, match="good_zip is a zip and takes 2 inputs, not 1"):
        told(good_zip, X, like=tk.mul)
    with pytest.raises(TypeError, match="a reduce: say over which dim"):
        told(good_reduce, X)
    with pytest.raises(TypeError, match="good_map is a map: no dim"):
        told(good_map, X, dim=0, like=tk.neg)
    with pytest.raises(TypeError, match="good_map is a map by its parameters, and mul is a zip"):
        told(good_map, X, like=tk.mul)
    with pytest.raises(tk.ShapeError, match=r"begins at position 2 .*contiguous\(\)"):
        told(good_map, tk.Tensor(np.arange(8.0), (2, 2), (3, 1), 2), like=tk.neg)
    with pytest.raises(tk.ShapeError, match="cannot broadcast"):
        told(good_zip, X, tk.zeros((2, 2)), like=tk.mul)
    with pytest.raises(IndexError, match="no dim 5"):
        told(good_reduce, X, dim=5)
