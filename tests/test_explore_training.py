"""The training watch: snapshots tell the truth about the model, and dead layers are named."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import tensorkit as tk
from tensorkit import nn, optim
from tensorkit.nn.watching import DECADES, decided, flow, look, plane, train
from tensorkit.pictures.training import MOST, training_scene


def alone(call):
    """Return what a call gives in a thread of its own: a browser's loop may run in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


def model(generator=None):
    generator = generator or tk.Generator(7)
    return nn.Sequential(
        nn.Linear(2, 5, generator=generator),
        nn.ReLU(),
        nn.Linear(5, 1, generator=generator),
        nn.Sigmoid(),
    )


def points(n=30):
    data = nn.DATASETS["split"](n, tk.Generator(11))
    return data.x, data.y[:, None]


def snapshots(epochs=6, **options):
    x, y = points()
    net = model()
    sgd = optim.SGD(net.parameters(), 0.5)
    return list(train(net, nn.BCELoss(), sgd, x, y, range(epochs), batch=10, **options)), net


def test_a_snapshot_tells_what_the_model_is_like():
    taken, net = snapshots()
    x, y = points()
    last = taken[-1]
    p = net(tk.tensor(x)).numpy()
    np.testing.assert_allclose(last.loss, -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))
    assert (last.epoch, last.total, last.right) == (6, 30, int(((p > 0.5) == y).sum()))
    np.testing.assert_array_equal(last.belief.ravel(), net(tk.tensor(plane(12))).numpy().ravel())
    assert [one.epoch for one in taken] == [0, 1, 2, 3, 4, 5, 6]
    assert [one.epoch for one in snapshots(every=3)[0]] == [0, 3, 6]


def test_the_first_field_of_the_map_is_top_left():
    at = plane(4)
    assert at[0].tolist() == [0.125, 0.875]
    assert at[3].tolist() == [0.875, 0.875]
    assert at[-1].tolist() == [0.875, 0.125]


def test_looking_changes_nothing():
    x, y = points()
    net = model()
    for p in net.parameters():
        p.grad = tk.full(p.shape, 3.0)
    before = [p.numpy().copy() for p in net.parameters()]
    look(net, nn.BCELoss(), x, y, 0)
    for p, old in zip(net.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.numpy(), old)
        np.testing.assert_array_equal(p.grad.numpy(), np.full(p.shape, 3.0))


def test_a_histogram_counts_every_cell_once():
    grad = tk.tensor([[0.0, 0.02, -0.5, 0.0], [0.0, 3e-4, 2e-12, 70.0]])
    one = flow("w", grad)
    assert sum(one.counts) + one.zeros == one.size == 8
    assert one.counts[DECADES.index(-2)] == 1
    assert one.counts[DECADES.index(-1)] == 1
    assert one.counts[DECADES.index(-4)] == 1
    assert one.counts[0] == 1, "what is smaller joins the first"
    assert one.counts[-1] == 1, "what is larger joins the last"
    assert (one.units, one.dead, one.zeros) == (4, 1, 3)
    assert flow("never reached", None).dead == 1


def test_a_dead_layer_is_named():
    x, y = points()
    net = model()
    net.layers[0].bias.copy_(np.array([-9.0, -9.0, -9.0, -9.0, 0.5]))
    taken = look(net, nn.BCELoss(), x, y, 0)
    scene = training_scene([taken], x, y)
    assert "4 of 5 units of layers.0.weight get no gradient" in scene.steps[0].say
    assert scene.steps[0].wrong
    net.layers[0].bias.copy_(np.array([-9.0, 1.0, 1.0, 1.0, 0.5]))
    few = training_scene([look(net, nn.BCELoss(), x, y, 0)], x, y)
    assert "1 of 5 units of layers.0.weight get no gradient" in few.steps[0].say
    assert not few.steps[0].wrong, "a few dead units are told, and are no mistake"
    net.layers[2].weight.copy_(np.zeros((5, 1)))
    net.layers[2].bias.copy_(np.array([800.0]))
    over = training_scene([look(net, nn.BCELoss(), x, y, 0)], x, y)
    assert "No parameter gets any gradient" in over.steps[0].say


def test_a_loss_that_is_no_number_is_told():
    (one, *_), _ = snapshots(1)
    broken = type(one)(3, float("nan"), one.right, one.total, one.belief, one.flows)
    scene = training_scene([one, broken])
    assert scene.steps[1].bad
    assert "no number any more" in scene.steps[1].say


def test_the_picture_holds_the_numbers_of_each_snapshot():
    taken, _ = snapshots()
    x, y = points()
    scene = training_scene(taken, x, y)
    assert len(scene.steps) == len(taken)
    for k, one in enumerate(taken):
        state = scene.state(k)
        sure = [key for key in state.roles if key.startswith("map.") and state.roles[key] == "read"]
        assert len(sure) == int((one.belief >= 0.75).sum())
        assert state.texts["loss"].startswith(f"after epoch {one.epoch}:")
    with pytest.raises(ValueError, match="nothing to watch"):
        training_scene([])


def test_a_long_training_keeps_its_ends():
    taken, _ = snapshots(MOST + 40)
    scene = training_scene(taken)
    assert len(scene.steps) == MOST
    assert "Epoch 0:" in scene.steps[0].say
    assert f"Epoch {MOST + 40}:" in scene.steps[-1].say


def test_scores_are_decided_by_the_largest():
    assert decided(np.array([[0.1, 0.7, 0.2], [3.0, -1.0, 2.0]])).tolist() == [1, 0]
    assert decided(np.array([[0.4], [0.6]])).tolist() == [0, 1]


def test_images_are_watched_without_a_map():
    x = np.random.default_rng(5).random((12, 3))
    net = nn.Sequential(nn.Linear(3, 4, generator=tk.Generator(1)))
    sgd = optim.SGD(net.parameters(), 0.1)
    labels = np.arange(12) % 4
    taken = list(train(net, nn.CrossEntropyLoss(), sgd, x, labels, range(2)))
    assert taken[0].belief is None
    assert training_scene(taken).steps[-1].say.startswith("Epoch 2")


def test_run_goes_on_where_the_last_run_ended():
    x, y = points()
    training = tk.explore.training(model(), x, y, epochs=4, every=2, batch=10)
    assert "run() it" in repr(training)
    training.run()
    training.run()
    assert [one.epoch for one in training.snapshots] == [0, 2, 4, 6, 8]
    losses = [one.loss for one in training.snapshots]
    assert losses[-1] < losses[0]
    assert "text/html" in training._repr_mimebundle_()


def test_training_in_the_background_is_stopped_and_keeps_what_it_learned():
    x, y = points()
    training = tk.explore.training(model(), x, y, epochs=10_000, every=1, batch=10)

    async def notebook():
        box = training.start()
        controls, shown = box.children
        button = controls.children[0]
        assert training.running
        with pytest.raises(RuntimeError, match="running already"):
            training.start()
        while len(training.snapshots) < 3:
            await asyncio.sleep(0)
        button.click()
        with pytest.raises(asyncio.CancelledError):
            await training.task
        assert button.disabled
        return shown

    shown = alone(lambda: asyncio.run(notebook()))
    count = len(training.snapshots)
    assert 3 <= count < 100
    assert not training.running
    assert shown.step == len(shown.scene.steps) - 1
    assert np.isfinite(training.snapshots[-1].loss)


def test_start_needs_a_notebook():
    x, y = points()
    training = tk.explore.training(model(), x, y)
    with pytest.raises(RuntimeError, match=r"use run\(\) here"):
        alone(training.start)


def test_impossible_options_are_refused():
    x, y = points()
    with pytest.raises(ValueError, match="count from 1"):
        tk.explore.training(model(), x, y, epochs=0)
