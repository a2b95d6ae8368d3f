"""Two passes where the compiler can count, and one where it cannot: a library comes of either."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from setuptools import Extension  # type: ignore[import-untyped]  # it tells no types
from tools.compile_library import COUNTING, NO_PROFILE, PLAIN, TRAINED

from tools import compile_gateway, compile_library


@pytest.mark.parametrize(
    ("unknown", "leaves_counts", "code", "passes"),
    [
        ((), True, 0, [PLAIN, COUNTING, TRAINED]),
        ((), False, NO_PROFILE, [PLAIN, COUNTING, PLAIN]),
        (COUNTING, True, NO_PROFILE, [PLAIN, COUNTING, PLAIN]),
        (TRAINED, True, NO_PROFILE, [PLAIN, COUNTING, TRAINED, PLAIN]),
    ],
)
def test_a_compiler_that_cannot_count_compiles_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
    unknown: tuple[str, ...],
    leaves_counts: bool,
    code: int,
    passes: list[tuple[str, ...]],
) -> None:
    """The last library made is never one that counts, and the exit code says whether it was trained."""
    done: list[tuple[str, ...]] = []

    def build(extensions: Sequence[Extension], flags: tuple[str, ...]) -> None:
        assert len(extensions) == 1
        done.append(flags)
        if flags == unknown:
            raise SystemExit("unrecognized command-line option")

    made = [Extension("tripoint.engines.part", []), Extension("0123__mypyc", [])]
    monkeypatch.setattr(compile_library, "mypycify", lambda *words, **more: made)
    monkeypatch.setattr(compile_library, "build", build)
    monkeypatch.setattr(compile_library, "is_trained", lambda: leaves_counts)
    assert compile_library.main(["tripoint/engines/part.py"]) == code
    assert done == passes


def test_both_halves_agree_on_the_exit_code() -> None:
    """The one that calls does not import the other, which needs a compiler of Python to be installed."""
    assert compile_gateway.NO_PROFILE == NO_PROFILE
    assert compile_gateway.NO_PROFILE != compile_gateway.NO_COMPILER
