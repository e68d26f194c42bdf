"""A module is a function with memory: parameters that training changes, and modules inside it.

Assigning a Parameter or a Module, or a list of them, to an attribute registers it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from ..errors import ShapeError, TensorkitError
from ..tensor import Tensor, tensor


class StateError(TensorkitError, KeyError):
    """A state dict that does not fit its module."""

    def __str__(self) -> str:
        return str(self.args[0])


class Parameter(Tensor):
    """A tensor that a module learns: a leaf that requires a gradient."""

    def __init__(self, data: Any) -> None:
        source = data if isinstance(data, Tensor) else tensor(data)
        super().__init__(np.array(source, order="C").reshape(-1), source.shape)
        self.requires_grad = True


class Module:
    """The base of all layers and networks: override ``forward``, then call the module itself."""

    training = True

    def forward(self, *inputs: Any) -> Any:
        """Compute the output. Override this."""
        raise NotImplementedError(f"{type(self).__name__} has no forward: write forward(self, x)")

    def __call__(self, *inputs: Any) -> Any:
        """Run ``forward``."""
        return self.forward(*inputs)

    def children(self) -> Iterator[tuple[str, Module]]:
        """Yield the modules directly inside, with their names, in the order they were assigned."""
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value
            elif isinstance(value, (list, tuple)):
                yield from (
                    (f"{name}.{k}", m) for k, m in enumerate(value) if isinstance(m, Module)
                )

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """Yield all parameters, also of modules inside, with dotted names; a shared one once."""
        seen: set[int] = set()
        for name, parameter in self._named(prefix):
            if id(parameter) not in seen:
                seen.add(id(parameter))
                yield name, parameter

    def _named(self, prefix: str) -> Iterator[tuple[str, Parameter]]:
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                yield prefix + name, value
            elif isinstance(value, (list, tuple)):
                for k, one in enumerate(value):
                    if isinstance(one, Parameter):
                        yield f"{prefix}{name}.{k}", one
        for name, child in self.children():
            yield from child._named(f"{prefix}{name}.")

    def parameters(self) -> list[Parameter]:
        """Return all parameters, each once."""
        return [p for _, p in self.named_parameters()]

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for p in self.parameters():
            p.grad = None

    def train(self, on: bool = True) -> Self:
        """Switch layers that behave differently in training, like dropout, on or off."""
        self.training = on
        for _, child in self.children():
            child.train(on)
        return self

    def eval(self) -> Self:
        """Switch to using what was learned: ``train(False)``."""
        return self.train(False)

    def state_dict(self) -> dict[str, Tensor]:
        """Return a copy of every parameter by name: ``tk.save`` writes it to a file."""
        return {name: tensor(p, dtype=p.dtype) for name, p in self.named_parameters()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Set every parameter. Raises StateError or ShapeError before any is changed."""
        own = dict(self.named_parameters())
        missing, extra = own.keys() - state.keys(), state.keys() - own.keys()
        if missing or extra:
            raise StateError(
                f"the state does not fit this {type(self).__name__}: "
                f"missing {sorted(missing)}, not known here {sorted(extra)}"
            )
        arrays = {name: np.asarray(value) for name, value in state.items()}
        for name, p in own.items():
            if arrays[name].shape != p.shape:
                raise ShapeError(
                    f"{name} has shape {p.shape}, but the state has {arrays[name].shape}"
                )
        for name, p in own.items():
            p.copy_(arrays[name])

    def __repr__(self) -> str:
        inside = [f"  ({name}): {child!r}".replace("\n", "\n  ") for name, child in self.children()]
        return f"{type(self).__name__}({self.extra_repr()}" + (
            "\n" + "\n".join(inside) + "\n)" if inside else ")"
        )

    def extra_repr(self) -> str:
        """Return what stands between the brackets: the sizes of a layer."""
        return ""


class Sequential(Module):
    """Modules (or functions) that run one after the other."""

    def __init__(self, *layers: Any) -> None:
        self.layers = layers

    def forward(self, *inputs: Any) -> Any:
        """Pass the input through all layers in order."""
        (x,) = inputs
        for layer in self.layers:
            x = layer(x)
        return x
