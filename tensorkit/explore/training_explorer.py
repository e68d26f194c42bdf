"""The training watch: loss, decision boundary, and the gradient that reaches each layer."""

from __future__ import annotations

from typing import Any

from tensorkit import nn
from tensorkit.nn.module import Module
from tensorkit.optim import SGD
from tensorkit.random import Generator
from tensorkit.widgets.explorer import Choice, Explorer
from tensorkit.widgets.training import Training

EPOCHS, HIDDEN = 240, 8
# each with the points, what stands between the layers, and the learning rate
CASES: dict[str, tuple[str, type[Module], float]] = {
    "it learns: split points, ReLU, rate 0.5": ("split", nn.ReLU, 0.5),
    "it learns: points in a circle, ReLU, rate 0.5": ("circle", nn.ReLU, 0.5),
    "sigmoid between the layers": ("split", nn.Sigmoid, 0.5),
    "a learning rate of 0.05": ("split", nn.ReLU, 0.05),
    "a learning rate of 60": ("split", nn.ReLU, 60.0),
}


def training(model: Module | None = None, x: Any = None, y: Any = None, **options: Any) -> Any:
    """Watch a network learn: what it believes, its loss, and where its gradient dies.

    ``tk.explore.training(model, x, y, epochs=200).start()`` trains your model live, with a button
    that stops it; ``.run()`` trains it at once. Options are those of ``Training``: loss, optimizer,
    epochs, batch, every. Without arguments it shows finished trainings, to step through.
    """
    if model is not None:
        return Training(model, x, y, **options)

    case = Choice("case", "training", CASES, look="menu")
    return Explorer("Training, watched", [case], lambda case: finished(*case).scene())


def finished(points: str, activation: type[Module], lr: float) -> Training:
    """Train a small network on one of MiniTorch's point sets and return the training."""
    generator = Generator(7)
    data = nn.DATASETS[points](60, generator)
    model = nn.Sequential(
        nn.Linear(2, HIDDEN, generator=generator),
        activation(),
        nn.Linear(HIDDEN, HIDDEN, generator=generator),
        activation(),
        nn.Linear(HIDDEN, 1, generator=generator),
        nn.Sigmoid(),
    )
    training = Training(
        model,
        data.x,
        data.y[:, None],
        optimizer=SGD(model.parameters(), lr),
        epochs=EPOCHS,
        batch=20,
        every=EPOCHS // 20,
    )
    for _ in training.snapshots_of(range(EPOCHS)):
        pass
    return training
