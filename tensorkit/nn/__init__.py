"""Networks: modules that hold parameters, the layers and losses a course needs, optimisers, data.

All of it is written with tensors and operations of the table; nothing has a gradient of its own.
"""

from .data import DATASETS, Points, digits
from .layers import Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU, Sigmoid, Tanh
from .losses import BCELoss, CrossEntropyLoss, MSELoss
from .module import Module, Parameter, Sequential

__all__ = [
    "DATASETS",
    "BCELoss",
    "Conv2d",
    "CrossEntropyLoss",
    "Dropout",
    "Flatten",
    "Linear",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "Parameter",
    "Points",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Tanh",
    "digits",
]
