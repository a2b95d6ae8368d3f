"""Days and hours as the ledger counts them: whole ones since 1970, UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from tripoint.domain.errors import OptionError

DAY_S: Final = 86_400
"""Seconds of a day; leap seconds are not counted, as in Unix time."""
_FIRST: Final = date(1970, 1, 1)


def day_number(text: str) -> int:
    """Days since 1970 of a date `YYYY-MM-DD`; raises `OptionError` where it is none."""
    try:
        return (date.fromisoformat(text) - _FIRST).days
    except ValueError:
        raise OptionError(f"`{text}` is not a day", hint="write it as YYYY-MM-DD; days are in UTC") from None


def day_text(number: int) -> str:
    """The day as `YYYY-MM-DD`."""
    return (_FIRST + timedelta(days=number)).isoformat()


def hour_text(number: int) -> str:
    """The hour as `YYYY-MM-DDTHH`."""
    return f"{day_text(number // 24)}T{number % 24:02d}"


def day_of(at: float) -> str:
    """The day of an instant, seconds since 1970."""
    return datetime.fromtimestamp(at, UTC).date().isoformat()
