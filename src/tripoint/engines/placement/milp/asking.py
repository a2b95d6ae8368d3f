"""How a strategy works without solver or clock: a generator of batches of programs to solve.

Whoever drives it solves them and sends answers back.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

from tripoint.engines.placement.milp.program import FloatArray, Program, Solution, SolveLimits

Outcome = TypeVar("Outcome")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A program to solve."""

    program: Program
    """What to solve."""
    limits: SolveLimits
    """How far."""
    start: FloatArray | None = None
    """Values to begin from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a strategy asks for next."""

    tasks: tuple[Task, ...]
    """Independent of each other; all are waited for."""
    beside: Task | None = None
    """Begun now and not waited for; what is wanted of it is its bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a strategy is told."""

    solutions: tuple[Solution, ...]
    """One per task."""
    bound: float
    """Best bound the program beside has proven so far; minus infinity when there is none."""
    seconds: float
    """Since the strategy began."""


Asking = Generator[Batch, Answers, Outcome]
"""A strategy and what it ends with."""
