"""Widgets turn a scene into something to step through; they compute no tensor."""

from tensorkit.widgets.stepper import Stepper

__all__ = ["Stepper"]
