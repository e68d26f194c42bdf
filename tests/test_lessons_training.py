"""Training: what its cells show is true, with parts of one's own or none, with digits or none."""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np
import pytest
from lessons import accepted, answer, cells, executed, flat, printed

import tensorkit as tk
from tensorkit import nn
from tensorkit.nn.watching import look
from tensorkit.widgets.questions import bank

NAME = "13_training"


def names() -> dict[str, Any]:
    """Return what the first cell of the notebook defines."""
    found: dict[str, Any] = {}
    exec(cells(NAME)["setup"].source, found)
    return found


def weakest_layer() -> str:
    """Return the layer whose weights get the smallest gradient, sigmoids standing between."""
    generator = tk.Generator(7)
    points = nn.DATASETS["split"](60, generator)
    model = names()["network"](generator, between=nn.Sigmoid)
    nn.BCELoss()(model(tk.tensor(points.x)), points.y[:, None]).backward()
    sizes = [np.abs(layer.weight.grad.numpy()).mean() for layer in model.layers[::2]]
    assert sizes == sorted(sizes)
    return ["the first layer", "the second layer", "the third layer"][int(np.argmin(sizes))]


ANSWERS = {
    "training-pairs": lambda: flat(np.shape(np.zeros((20, 1)) - np.zeros(20))),
    "training-start": lambda: flat(round(-np.log(0.5), 1)),
    "training-dies": weakest_layer,
}


def test_each_prediction_accepts_what_is_computed() -> None:
    ways = accepted("training")
    assert set(ANSWERS) == set(ways)
    for key, compute in ANSWERS.items():
        assert compute() in ways[key], key


def test_what_the_cells_show(tmp_path_factory: pytest.TempPathFactory) -> None:
    empty, filled = executed(NAME, tmp_path_factory)
    counts = printed(empty["points-code"]).splitlines()
    assert [line.split()[0] for line in counts] == [*nn.DATASETS]
    assert "(20, 20)" in printed(empty["shapes-refused"])
    assert "give both the same shape" in printed(empty["shapes-refused"])
    watched = re.findall(r"(\d+) of 60 right", printed(empty["watch-run"]))
    assert int(watched[0]) < 45 and int(watched[-1]) >= 59
    assert int(watched[10]) < int(watched[7]), "fewer are right where the loss has its bump"
    parts = ("map", "zip", "reduce", "unbroadcast", "backward")
    for name in parts:
        assert re.search(rf"{name} +the kit's own", printed(empty["own-compare"]))
        assert re.search(
            rf"{name} +yours, and the losses are the kit's", printed(filled["own-compare"])
        )
    before, after = printed(empty["own-train"]), printed(filled["own-train"])
    assert before.startswith("everything is the kit's own")
    assert after.startswith(f"your own: {', '.join(parts)}")
    right = re.findall(r"(\d+) of 30 right", after)
    assert right == re.findall(r"(\d+) of 30 right", before)
    assert int(right[0]) <= 15 and int(right[-1]) == 30
    for key in ("watch-run", "own-train", "digits-train"):
        kinds = [kind for one in filled[key].outputs for kind in one.get("data", {})]
        assert not [kind for kind in kinds if "widget-view" in kind], (
            "a bar that ended is no output"
        )


def test_the_digits_are_learned_and_counted(tmp_path_factory: pytest.TempPathFactory) -> None:
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    empty, _ = executed(NAME, tmp_path_factory)
    said = printed(empty["digits-train"])
    told = [c.text for c in bank("training").quiz["training-seen"].choices]
    [seen, total, new, of] = map(int, re.findall(r"(\d+) of (\d+)", said)[0] + re.findall(
        r"(\d+) of (\d+)", said)[1])  # fmt: skip
    assert told[0].startswith(f"{seen} of {total}")
    assert told[1].startswith(f"{seen + new} of {total + of}")
    assert told[2] == f"{new} of {of}"


def test_without_scikit_learn_a_sentence_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    known = names()
    for key in ("digits-read", "digits-train"):
        exec(cells(NAME)[key].source, known)
    said = capsys.readouterr().out
    assert "There are no digits to learn here" in said and "pip install scikit-learn" in said
    assert "No digits, no training." in said


def broken(old: str, new: str) -> str:
    code = answer(NAME, "own")
    assert code.count(old) >= 1
    return code.replace(old, new)


FAULTS = {
    "map": broken("fn(a[to_position(index, a_strides)])", "a[to_position(index, a_strides)]"),
    "zip": broken("fn(a[p], b[q])", "fn(b[q], a[p])"),
    "reduce": broken("a[first + k * a_strides[dim]]", "a[first]"),
    "unbroadcast": broken("grad = grad.sum(dim)", "grad = grad.mean(dim)"),
    "backward": broken("arrived[key] + share if key in arrived else share", "share * 2"),
}


@pytest.mark.parametrize("part", FAULTS)
def test_a_wrong_part_is_told_by_its_name(part: str, capsys: pytest.CaptureFixture[str]) -> None:
    known = names()
    exec(FAULTS[part], known)
    exec(cells(NAME)["own-compare"].source, known)
    told = dict(line.split(None, 1) for line in capsys.readouterr().out.splitlines())
    assert [*told] == [*FAULTS]
    for name, said in told.items():
        assert said.endswith("are the kit's") == (name != part), (name, said)


def test_a_part_that_raises_is_told_and_the_others_are_tried(
    capsys: pytest.CaptureFixture[str],
) -> None:
    known = names()

    def stub(fn: Any) -> Any:
        raise NotImplementedError("fill in the loop")

    exec(answer(NAME, "own"), known)
    known["own"]["zip"] = stub
    exec(cells(NAME)["own-compare"].source, known)
    said = capsys.readouterr().out
    assert "Yours to write: fill in the loop" in said
    assert said.count("are the kit's") == 4
    exec(cells(NAME)["own-train"].source, known)
    assert "Yours to write" in capsys.readouterr().out


# The quiz


def test_forgotten_gradients_add_up() -> None:
    x = tk.tensor([2.0, 3.0], requires_grad=True)
    for times in (1, 2, 3):
        (x * x).sum().backward()
        assert x.grad.tolist() == [4.0 * times, 6.0 * times]


def test_from_zeros_only_the_last_bias_learns() -> None:
    points = nn.DATASETS["split"](60, tk.Generator(7))
    model = names()["network"](tk.Generator(7))
    for p in model.parameters():
        p.copy_(np.zeros(p.shape))
    flows = look(model, nn.BCELoss(), points.x, points.y[:, None], 0).flows
    assert [flow.name for flow in flows if flow.zeros < flow.size] == [flows[-1].name]
    assert flows[-1].name.endswith("bias")


def test_a_sum_over_the_batch_has_the_gradient_of_the_mean_times_its_size() -> None:
    x, y = tk.tensor([1.0, 5.0, 2.0], requires_grad=True), tk.tensor([3.0, 1.0, 4.0])
    (x - y).square().mean().backward()
    mean, x.grad = x.grad.numpy().copy(), None
    (x - y).square().sum().backward()
    np.testing.assert_allclose(x.grad, 3 * mean)
