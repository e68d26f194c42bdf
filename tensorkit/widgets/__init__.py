"""Widgets turn a scene into something to step through, and ask before they tell.

They compute no tensor.
"""

from tensorkit.widgets.explorer import Choice, Explorer, Field
from tensorkit.widgets.predict import Predict, Review
from tensorkit.widgets.quiz import Quiz
from tensorkit.widgets.stepper import Stepper

__all__ = ["Choice", "Explorer", "Field", "Predict", "Quiz", "Review", "Stepper"]
