"""The mutator itself: each kind of slip is made; a mutant reads differently and compiles."""

import pytest
from mutants import mutants

SOURCE = '''
def fold(shape, a_strides, out_strides, start=0):
    """A docstring stays."""
    total, steps = start, []
    for i in range(len(shape) - 1, -1, -1):
        for j in reversed(shape):
            if j == 1 or i <= 2:
                continue
            total += a_strides[i] * (j // 2 - i)
            steps.append(total)
    return (max(total, -1.5), tuple(steps[::-1]), [s for s in steps if s])
'''


def labels(source: str) -> list[str]:
    return [mutant.label for mutant in mutants(source)]


@pytest.mark.parametrize(
    "label",
    [
        "total += a_strides[i] * (j // 2 - i) -> total -= a_strides[i] * (j // 2 - i)",
        "total += a_strides[i] * (j // 2 - i) -> total = a_strides[i] * (j // 2 - i)",
        "total += a_strides[i] * (j // 2 - i) -> total += a_strides[i] + (j // 2 - i)",
        "total += a_strides[i] * (j // 2 - i) -> total += a_strides[i]",
        "total += a_strides[i] * (j // 2 - i) -> total += a_strides[i] * (j // 2)",
        "total += a_strides[i] * (j // 2 - i) -> total += a_strides[i] * (i - j // 2)",
        "total += a_strides[i] * (j // 2 - i) -> total += a_strides[i] * (j % 2 - i)",
        "total += a_strides[i] * (j // 2 - i) -> total += a_strides[i] * (2 // j - i)",
        "total += a_strides[i] * (j // 2 - i) -> total += out_strides[i] * (j // 2 - i)",
        "total += a_strides[i] * (j // 2 - i) -> total += a_strides[j] * (j // 2 - i)",
        "total += a_strides[i] * (j // 2 - i) -> total += a_strides[i + 1] * (j // 2 - i)",
        "total += a_strides[i] * (j // 2 - i) -> total += a_strides[i] * (j // 3 - i)",
        "total += a_strides[i] * (j // 2 - i) -> pass",
        "total += a_strides[i] * (j // 2 - i) -> steps.append(total)",
        "steps.append(total) -> pass",
        "def fold(shape, a_strides, out_strides, start=0): -> "
        "def fold(shape, a_strides, out_strides, start=1):",
        "for i in range(len(shape) - 1, -1, -1): -> for i in range(len(shape), -1, -1):",
        "for i in range(len(shape) - 1, -1, -1): -> for i in range(len(shape) - 1, 1, -1):",
        "for i in range(len(shape) - 1, -1, -1): -> for i in range(len(shape) - 1, -0, -1):",
        "for i in range(len(shape) - 1, -1, -1): -> for i in range(len(shape) - 1, -1 - 1, -1):",
        "for j in reversed(shape): -> for j in shape:",
        "if j == 1 or i <= 2: -> if j == 1 and i <= 2:",
        "if j == 1 or i <= 2: -> if j != 1 or i <= 2:",
        "if j == 1 or i <= 2: -> if j == 1 or i < 2:",
        "if j == 1 or i <= 2: -> if i <= 2:",
        "if j == 1 or i <= 2: -> if not (j == 1 or i <= 2):",
        "if j == 1 or i <= 2: -> pass",
        "continue -> pass",
    ],
)
def test_a_slip_is_made(label):
    assert label in labels(SOURCE)


def test_what_is_returned_is_mutated_too():
    made = {mutant.source.strip().rpartition("\n")[2].strip() for mutant in mutants(SOURCE)}
    assert made >= {
        "return",
        "return (min(total, -1.5), tuple(steps[::-1]), [s for s in steps if s])",
        "return (total, tuple(steps[::-1]), [s for s in steps if s])",
        "return (max(total, 1.5), tuple(steps[::-1]), [s for s in steps if s])",
        "return (max(total, -1.5), tuple(steps[:]), [s for s in steps if s])",
        "return (max(total, -1.5), steps[::-1], [s for s in steps if s])",
        "return (max(total, -1.5), tuple(steps[::-1]), [s for s in steps])",
        "return (tuple(steps[::-1]), max(total, -1.5), [s for s in steps if s])",
        "return (max(total, -1.5), tuple(steps[::-1]))",
    }


def test_every_mutant_compiles_differs_from_the_others_and_keeps_the_docstring():
    made = mutants(SOURCE)
    assert len({mutant.source for mutant in made}) == len(made) > 60
    for mutant in made:
        compile(mutant.source, "mutant", "exec")
        assert "A docstring stays." in mutant.source


def test_methods_are_mutated_and_the_original_is_not():
    source = "class A:\n\n    def f(self, x, y):\n        return self.strides[x] - y\n"
    made = mutants(source)
    assert "return self.strides[x] - y -> return self.shape[x] - y" in labels(source)
    assert "return self.strides[x] - y -> return self.strides[y] - y" in labels(source)
    assert source not in {mutant.source for mutant in made}
