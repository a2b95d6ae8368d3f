"""Settings of this machine, read once from `TRIPOINT_*`; never part of an estate, never a flag of one run."""

from __future__ import annotations

import datetime
import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tripoint.domain.errors import OptionError

PREFIX = "TRIPOINT_"
DEFAULT_THREADS = 2
DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "TRIPOINT_THREADS": "Threads of the solver; 2 when not set, so that machines of any size give the same plan.",
        "TRIPOINT_TODAY": "Date (YYYY-MM-DD) by which catalogue rows are judged stale; today when not set.",
    }
)
"""Every setting and what it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What this machine says."""

    threads: int
    """Threads of the solver."""
    today: datetime.date
    """Date by which catalogue rows are judged stale."""


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in force.

    Raises `OptionError` naming the variable, what it holds and what it may hold.
    """
    return Settings(threads=_threads(environment), today=_today(environment))


def unknown_settings(environment: Mapping[str, str] = os.environ) -> tuple[tuple[str, str], ...]:
    """Variables that start like a setting but are none, each with the nearest known name or nothing."""
    unknown = sorted(name for name in environment if name.startswith(PREFIX) and name not in DESCRIPTIONS)
    return tuple((name, next(iter(difflib.get_close_matches(name, DESCRIPTIONS, n=1)), "")) for name in unknown)


def _threads(environment: Mapping[str, str]) -> int:
    text = environment.get("TRIPOINT_THREADS", "").strip()
    if not text:
        return DEFAULT_THREADS
    if not text.isdigit() or int(text) < 1:
        raise OptionError(
            f"`TRIPOINT_THREADS` is `{text}`, not a whole number of at least 1",
            hint="unset it to use 2",
        )
    return int(text)


def _today(environment: Mapping[str, str]) -> datetime.date:
    text = environment.get("TRIPOINT_TODAY", "").strip()
    if not text:
        return datetime.date.today()
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        message = f"`TRIPOINT_TODAY` is `{text}`, not a date"
        raise OptionError(message, hint="write it as YYYY-MM-DD, or unset it") from None
