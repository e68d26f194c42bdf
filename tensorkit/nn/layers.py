"""The layers: small modules, each a line or two of tensor operations."""

from __future__ import annotations

import math
from typing import Any

from ..compositions import dropout, flatten
from ..convolution import Pair, conv2d, max_pool2d, numbers
from ..errors import ShapeError
from ..random import Generator, draw
from ..tensor import tensor
from .module import Module, Parameter


def uniform(shape: tuple[int, ...], fan_in: int, generator: Generator | None) -> Parameter:
    """Draw a parameter evenly from -1/sqrt(fan_in) to 1/sqrt(fan_in), as PyTorch does."""
    bound = 1 / math.sqrt(max(fan_in, 1))
    return Parameter(tensor(draw(generator).uniform(-bound, bound, shape)))


class Linear(Module):
    """x @ weight + bias. Shapes: (..., inputs) -> (..., outputs); weight is (inputs, outputs)."""

    def __init__(
        self, inputs: int, outputs: int, bias: bool = True, generator: Generator | None = None
    ) -> None:
        self.inputs, self.outputs = inputs, outputs
        self.weight = uniform((inputs, outputs), inputs, generator)
        self.bias = uniform((outputs,), inputs, generator) if bias else None

    def forward(self, *inputs: Any) -> Any:
        """Apply to the last dim. Raises ShapeError if its length is not ``inputs``."""
        (x,) = inputs
        if x.shape[-1:] != (self.inputs,):
            raise ShapeError(f"this layer takes (..., {self.inputs}), but was given {x.shape}")
        out = x @ self.weight
        return out if self.bias is None else out + self.bias

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"{self.inputs}, {self.outputs}"


class Conv2d(Module):
    """A convolution. Shapes: (batch, inputs, n, m) -> (batch, outputs, ...); see ``conv2d``."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: Pair,
        stride: Pair = 1,
        padding: Pair = 0,
        generator: Generator | None = None,
    ) -> None:
        self.stride, self.padding = stride, padding
        shape = (outputs, inputs, *numbers(size, 2))
        self.weight = uniform(shape, math.prod(shape[1:]), generator)
        self.bias = uniform((outputs,), math.prod(shape[1:]), generator)

    def forward(self, *inputs: Any) -> Any:
        """Slide over the images."""
        return conv2d(inputs[0], self.weight, self.bias, self.stride, self.padding)

    def extra_repr(self) -> str:
        """Return the sizes."""
        out, inside, *size = self.weight.shape
        return f"{inside}, {out}, {tuple(size)}"


class MaxPool2d(Module):
    """The largest cell of each window; see ``max_pool2d``."""

    def __init__(self, size: Pair, stride: Pair | None = None) -> None:
        self.size, self.stride = size, stride

    def forward(self, *inputs: Any) -> Any:
        """Pool the last two dims."""
        return max_pool2d(inputs[0], self.size, self.stride)


class Flatten(Module):
    """Merge all dims but the first. Shapes: (batch, ...) -> (batch, cells)."""

    def forward(self, *inputs: Any) -> Any:
        """Flatten."""
        return flatten(inputs[0], 1)


class Dropout(Module):
    """Drop cells in training, with probability ``p``; do nothing after ``eval()``."""

    def __init__(self, p: float = 0.5, generator: Generator | None = None) -> None:
        self.p, self.generator = p, generator

    def forward(self, *inputs: Any) -> Any:
        """Drop, or pass on."""
        return dropout(inputs[0], self.p, self.generator, self.training)


class ReLU(Module):
    """max(0, x)."""

    def forward(self, *inputs: Any) -> Any:
        """Apply cell by cell."""
        return inputs[0].relu()


class Sigmoid(Module):
    """1 / (1 + e**-x)."""

    def forward(self, *inputs: Any) -> Any:
        """Apply cell by cell."""
        return inputs[0].sigmoid()


class Tanh(Module):
    """tanh x."""

    def forward(self, *inputs: Any) -> Any:
        """Apply cell by cell."""
        return inputs[0].tanh()
