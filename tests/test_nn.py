"""Modules, layers, losses, and training on every data set."""

from __future__ import annotations

import math

import numpy as np
import pytest
from oracles import values_for

import tensorkit as tk
from tensorkit import nn
from tensorkit.checks import check_gradient


class Net(nn.Module):
    def __init__(self, g):
        self.first = nn.Linear(3, 4, generator=g)
        self.blocks = [nn.Linear(4, 4, generator=g), nn.Dropout(0.5, g)]
        self.scales = [nn.Parameter([1.0, 2, 3, 4])]
        self.tied = self.first
        self.name = "net"

    def forward(self, x):
        h = self.first(x).tanh()
        for block in self.blocks:
            h = block(h)
        return h * self.scales[0]


def net():
    return Net(tk.Generator(4))


def test_parameters_are_found_by_name_each_once():
    shapes = {name: p.shape for name, p in net().named_parameters()}
    assert shapes == {
        "scales.0": (4,),
        "first.weight": (3, 4),
        "first.bias": (4,),
        "blocks.0.weight": (4, 4),
        "blocks.0.bias": (4,),
    }
    assert all(p.requires_grad and p.is_leaf for p in net().parameters())


def test_train_and_eval_reach_all_modules():
    model = net().eval()
    x = tk.tensor(values_for((5, 3), 1))
    np.testing.assert_array_equal(model(x), model(x))
    model.train()
    assert (model(x).numpy() != model(x).numpy()).any()
    assert model.blocks[1].training


def test_a_state_is_copied_saved_and_set(tmp_path):
    one, two = net(), Net(tk.Generator(5))
    x = tk.tensor(values_for((5, 3), 1))
    tk.save(tmp_path / "net.npz", one.state_dict())
    two.load_state_dict(tk.load(tmp_path / "net.npz"))
    np.testing.assert_array_equal(one.eval()(x), two.eval()(x))
    state = one.state_dict()
    state["first.bias"][0] = 99.0
    assert one.first.bias.numpy()[0] != 99
    state["first.weight"] = tk.zeros(4, 3)
    with pytest.raises(tk.ShapeError, match=r"first.weight has shape \(3, 4\)"):
        two.load_state_dict(state)
    assert two.first.bias.numpy()[0] != 99  # nothing was changed before the refusal
    del state["first.weight"]
    with pytest.raises(tk.TensorkitError, match=r"missing \['first.weight'\]"):
        two.load_state_dict(state)


def test_linear():
    layer = nn.Linear(3, 2, generator=tk.Generator(1))
    x = tk.tensor(values_for((4, 5, 3), 1))
    want = x.numpy() @ layer.weight.numpy() + layer.bias.numpy()
    np.testing.assert_allclose(layer(x), want, rtol=1e-13)
    assert nn.Linear(3, 2, bias=False)(x[0, 0]).shape == (2,)
    assert np.abs(layer.weight.numpy()).max() <= 1 / math.sqrt(3)
    with pytest.raises(tk.ShapeError, match=r"takes \(..., 3\), but was given \(2,\)"):
        layer(tk.zeros(2))
    assert repr(nn.Sequential(layer, nn.ReLU())).splitlines()[1] == "  (layers.0): Linear(3, 2)"


def test_a_network_of_images_equals_nudging():
    g = tk.Generator(2)
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1, generator=g), nn.Tanh(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(8, 3, generator=g), nn.Sigmoid(),
    )  # fmt: skip
    x = tk.tensor(values_for((2, 1, 4, 5), 3)[..., :4])
    assert model(x).shape == (2, 3)
    assert check_gradient(model, x).ok
    weight = model.layers[0].weight

    def of_weight(w):
        model.layers[0].weight = w
        return model(x)

    assert check_gradient(of_weight, tk.tensor(weight)).ok
    assert "Conv2d(1, 2, (3, 3))" in repr(nn.Conv2d(1, 2, 3))


def test_losses():
    answer = tk.tensor([[0.2, 0.9], [0.5, 0.7]])
    wanted = np.array([[0.0, 1], [1, 0]])
    a = answer.numpy()
    assert nn.MSELoss()(answer, wanted).item() == pytest.approx(((a - wanted) ** 2).mean())
    want = -(wanted * np.log(a) + (1 - wanted) * np.log(1 - a)).mean()
    assert nn.BCELoss()(answer, wanted).item() == pytest.approx(want)
    assert check_gradient(lambda p: nn.BCELoss()(p, wanted), answer).ok
    assert math.isfinite(nn.BCELoss()(tk.tensor([0.0, 1]), [1.0, 0]).item())
    assert nn.CrossEntropyLoss()(answer, [1, 0]).item() == tk.cross_entropy(answer, [1, 0]).item()
    for loss in (nn.MSELoss(), nn.BCELoss()):
        with pytest.raises(tk.ShapeError, match=r"shapes \(2, 2\) and \(2,\)"):
            loss(answer, tk.zeros(2))


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match=r"Module has no forward"):
        nn.Module()(1)


def test_the_point_sets_are_minitorchs():
    for name, make in nn.DATASETS.items():
        points = make(50, tk.Generator(1))
        assert points.x.shape == (50, 2)
        assert set(points.y) == {0.0, 1.0}, name
        assert 0 <= points.x.min() < points.x.max() <= 1 or name == "spiral"
        assert len(make(7).x) == len(make(7).y) == 7
    points = nn.DATASETS["xor"](50, tk.Generator(1))
    np.testing.assert_array_equal(points.y, (points.x[:, 0] < 0.5) ^ (points.x[:, 1] < 0.5))
    spiral = nn.DATASETS["spiral"](10)
    t = 10 * 5 / 5
    np.testing.assert_allclose(
        spiral.x[0], [0.5 + t * math.cos(t) / 20, 0.5 + t * math.sin(t) / 20]
    )
    np.testing.assert_allclose(
        spiral.x[5], [0.5 + t * math.sin(t) / 20, 0.5 - t * math.cos(t) / 20]
    )


STEPS = {"simple": 100, "diag": 150, "split": 300, "xor": 300, "circle": 300, "spiral": 1200}


@pytest.mark.parametrize("name", STEPS)
def test_every_point_set_is_learned(name):
    g = tk.Generator(3)
    x, y = nn.DATASETS[name](60, g)
    model = nn.Sequential(
        nn.Linear(2, 16, generator=g), nn.Tanh(), nn.Linear(16, 16, generator=g), nn.Tanh(),
        nn.Linear(16, 1, generator=g), nn.Sigmoid(),
    )  # fmt: skip
    optimizer, loss = tk.optim.Adam(model.parameters(), 0.03), nn.BCELoss()
    inputs, labels = tk.tensor(x), tk.tensor(y[:, None])
    for _ in range(STEPS[name]):
        optimizer.zero_grad()
        loss(model(inputs), labels).backward()
        optimizer.step()
    right = (model(inputs).numpy()[:, 0] > 0.5) == y
    assert right.mean() >= 0.95


def test_digits_are_learned():
    images, labels = nn.digits()
    assert images.shape == (1797, 1, 8, 8)
    assert (images.min(), images.max()) == (0, 1)
    g = tk.Generator(0)
    model = nn.Sequential(
        nn.Conv2d(1, 6, 3, generator=g), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(54, 10, generator=g),
    )  # fmt: skip
    optimizer, loss = tk.optim.Adam(model.parameters(), 0.01), nn.CrossEntropyLoss()
    for start in [*range(0, 1400, 50)] * 3:
        optimizer.zero_grad()
        part = slice(start, start + 50)
        loss(model(tk.tensor(images[part])), labels[part]).backward()
        optimizer.step()
    with tk.no_grad():
        found = model(tk.tensor(images[1400:])).argmax(1, keepdim=False)
    assert (found.numpy() == labels[1400:]).mean() > 0.85


def test_digits_say_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match="pip install scikit-learn"):
        nn.digits()
