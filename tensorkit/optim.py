"""Optimisers: how a gradient becomes a change of the parameters. All of it outside the graph."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from .errors import GraphError, ShapeError
from .graph import one_number
from .kernels import reduce_kernel, run_into
from .layout import Layout
from .tensor import Tensor, tensor
from .view import View

# one step of a parameter t: less its gradient g times the rate r
DOWN = reduce_kernel("step_down", "t - r * g", ("g", "r"))


@lru_cache(maxsize=1 << 10)
def constant(value: float, like: Layout) -> View:
    """Return one number seen as a whole grid; it is kept for the next step, so never change it."""
    at = one_number(like)
    return View._of(np.array([value], at.dtype), at)


class Optimizer:
    """Holds parameters and changes them, by ``step``, from their gradients."""

    def __init__(self, parameters: Iterable[Tensor], lr: float) -> None:
        self.parameters = list(parameters)
        if not self.parameters:
            raise ShapeError("an optimiser needs at least one parameter: pass model.parameters()")
        for p in self.parameters:
            if not p.requires_grad or p.ctx is not None:
                raise GraphError(
                    "an optimiser changes leaves that require a gradient, nothing else"
                )
        if len({id(p) for p in self.parameters}) < len(self.parameters):
            raise GraphError("a parameter is listed twice: it would be changed twice at every step")
        self.lr = lr
        self.memory: list[dict[str, Any]] = [{} for _ in self.parameters]

    def zero_grad(self) -> None:
        """Forget all gradients: they add up until then."""
        for p in self.parameters:
            p.grad = None

    def step(self) -> None:
        """Change every parameter that has a gradient."""
        for p, memory in zip(self.parameters, self.memory, strict=True):
            if p.grad is not None:
                self.change(p, p.grad, memory)

    def change(self, p: Tensor, grad: Tensor, memory: dict[str, Any]) -> None:
        """Change one parameter in place. Override this."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Return how far the optimiser has come: ``load_state_dict`` goes on from there."""
        memory = [{name: np.array(v) for name, v in m.items()} for m in self.memory]
        return {"lr": self.lr, "memory": memory}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state. Raises ShapeError if it belongs to other parameters."""
        if len(state["memory"]) != len(self.parameters):
            raise ShapeError(
                f"the state is of {len(state['memory'])} parameters, not {len(self.parameters)}"
            )
        for p, m in zip(self.parameters, state["memory"], strict=True):
            for name, v in m.items():
                if np.shape(v) not in ((), p.shape):
                    raise ShapeError(f"{name} of shape {np.shape(v)} is not for {p.shape}")
        self.lr = state["lr"]
        self.memory = [{name: np.array(v) for name, v in m.items()} for m in state["memory"]]


class SGD(Optimizer):
    """p -= lr * v with v = momentum * v + grad (Polyak 1964; PyTorch's form)."""

    def __init__(self, parameters: Iterable[Tensor], lr: float, momentum: float = 0.0) -> None:
        super().__init__(parameters, lr)
        self.momentum = momentum

    def change(self, p: Tensor, grad: Tensor, memory: dict[str, Any]) -> None:
        """Go down the gradient, carried on by earlier steps."""
        if self.momentum:
            carried = self.momentum * memory.get("velocity", 0.0) + grad.numpy()
            memory["velocity"], grad = carried, tensor(carried, dtype=p.dtype)
        p._check_changeable()
        run_into(DOWN, p, grad, constant(self.lr, p.layout))
        p._written()


class Adam(Optimizer):
    """Steps of about ``lr`` whatever the size of the gradient (Kingma, Ba 2015, algorithm 1)."""

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(parameters, lr)
        self.betas, self.eps = betas, eps

    def change(self, p: Tensor, grad: Tensor, memory: dict[str, Any]) -> None:
        """Divide the running mean of the gradient by the root of that of its square."""
        a, b = self.betas
        slope = grad.numpy()
        steps = memory["steps"] = memory.get("steps", 0) + 1
        mean = memory["mean"] = a * memory.get("mean", 0.0) + (1 - a) * slope
        square = memory["square"] = b * memory.get("square", 0.0) + (1 - b) * slope * slope
        corrected = mean / (1 - a**steps)
        scale = np.sqrt(square / (1 - b**steps)) + self.eps
        p.copy_(p.numpy() - self.lr * corrected / scale)
