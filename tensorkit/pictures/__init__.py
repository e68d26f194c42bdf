"""Pictures of tensors: a scene is drawn once, and its steps say what changes."""

from tensorkit.pictures.layout import LABEL, Drawn, tensor_size
from tensorkit.pictures.play import Connect, Turn, Turns
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.steps import Source, State, Step
from tensorkit.pictures.text import fmt

__all__ = [
    "LABEL",
    "Connect",
    "Drawn",
    "Scene",
    "Source",
    "State",
    "Step",
    "Turn",
    "Turns",
    "fmt",
    "tensor_size",
]
