"""Types of flags that click does not have."""

from __future__ import annotations

import datetime
import math
import os
import re
import time
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import click

from tripoint.domain.errors import OptionError
from tripoint.domain.money import nano_of

Command = TypeVar("Command", bound=Callable[..., Any])


class NamedPath(click.Path):
    """A path that is one: an empty one, as an unset variable leaves behind, would mean the present folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path as it was given; raises `OptionError` where it is empty or blank."""
        if param is not None and not os.fspath(value).strip():
            name = param.opts[-1] if isinstance(param, click.Option) else param.human_readable_name
            raise OptionError(f"`{name}` is given without a name", hint="name a path; `.` is the present folder")
        return super().convert(value, param, ctx)


class FileToRead(NamedPath):
    """A file, or a folder that holds one, to be read: what is not there is a flag to be changed, not a failed world."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path as it was given; raises `OptionError` with the nearest name where there is nothing."""
        path = super().convert(value, param, ctx)
        refuse_missing(path, param.opts[-1] if isinstance(param, click.Option) else "")
        return path


def refuse_missing(path: str | os.PathLike[str], flag: str = "", *, otherwise: str = "check the path") -> None:
    """Raises `OptionError` where there is nothing at a path, with the nearest name or what to do `otherwise`."""
    if not os.path.lexists(path):
        where = f"`{flag}`: " if flag else ""
        raise OptionError(f"{where}there is no `{path}`", hint=_near(Path(path), otherwise))


def _near(path: Path, otherwise: str) -> str:
    """The name in the same folder that is nearest, or where to look."""
    if not path.parent.is_dir():
        return f"there is no folder `{path.parent}`"
    found = get_close_matches(path.name, sorted(os.listdir(path.parent)), 1)
    return f"did you mean `{path.with_name(found[0])}`?" if found else otherwise


class FiniteRange(click.FloatRange):
    """A number within bounds; `nan` and `inf`, which every comparison lets through or none, are refused."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number a flag was given."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"`{value}` is not a finite number", param, ctx)
        return number


def gap_option(what: str, default: float = 0.001) -> Callable[[Command], Command]:
    """Adds `--gap`, a share of the best; `what` it stops."""
    return click.option(
        "--gap", metavar="SHARE", type=FiniteRange(min=0, max=1), default=default, show_default=True, help=what
    )


def time_limit_option(what: str, default: float = 60.0) -> Callable[[Command], Command]:
    """Adds `--time-limit`, seconds; `what` it limits."""
    limit = FiniteRange(min=0, min_open=True)
    return click.option("--time-limit", metavar="S", type=limit, default=default, show_default=True, help=what)


class UsdAmount(click.ParamType):  # type: ignore[type-arg]  # generic only in newer releases of click
    """Dollars, exact: a decimal number such as `50` or `0.25`, as nano-dollars."""

    name = "usd"
    is_signed = False
    """True where less than nothing is an amount as well."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The amount in nano-dollars."""
        if isinstance(value, int):
            return value
        try:
            amount = Decimal(str(value).strip().removeprefix("$").replace("_", ""))
            nano = nano_of(amount) if amount.is_finite() and abs(amount) < _MOST_USD else None
        except (InvalidOperation, ValueError):
            nano = None
        if nano is None or (nano < 0 and not self.is_signed):
            self.fail(
                f"`{value}` is not an amount in dollars: write it as `50` or `0.25`, nine decimals at most", param, ctx
            )
        return nano


class UsdDifference(UsdAmount):
    """A difference in dollars, exact, such as `-12.5`, as nano-dollars."""

    is_signed = True


class Span(click.ParamType):  # type: ignore[type-arg]  # generic only in newer releases of click
    """A length of time such as `90s`, `15m`, `24h`, `30d`, in seconds."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The length in seconds."""
        if isinstance(value, (int, float)):
            return float(value)
        seconds = span_s(str(value))
        if seconds is None:
            self.fail(f"`{value}` is not a length of time: write it as `90s`, `15m`, `24h` or `30d`", param, ctx)
        return seconds


class Moment(click.ParamType):  # type: ignore[type-arg]  # generic only in newer releases of click
    """A time to come, seconds since 1970: a length from now (`30d`), a time in UTC, or a day (`2027-01-31`).

    A day means to its end: what is good until 31 January is good on it.
    """

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds since 1970."""
        if isinstance(value, (int, float)):
            return float(value)
        seconds = span_s(str(value))
        if seconds is not None:
            return time.time() + seconds
        try:
            moment = datetime.datetime.fromisoformat(str(value))
            end = _SECONDS["d"] if _DAY.fullmatch(str(value)) else 0.0
            return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp() + end
        except (ValueError, OverflowError):
            self.fail(f"`{value}` is not a time: write `30d`, `2027-01-31` or `2027-01-31T18:00`, UTC", param, ctx)


def span_s(text: str) -> float | None:
    """Seconds in `90s`, `15m`, `24h`, `30d`; `None` for anything else."""
    found = _SPAN.fullmatch(text.strip())
    return None if found is None else float(found[1]) * _SECONDS[found[2]]


_SPAN = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)([smhd])")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_MOST_USD = Decimal(10) ** 12
