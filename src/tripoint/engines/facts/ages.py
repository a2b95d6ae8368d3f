"""Is a catalogue figure too old to be believed without a look?

A date may be given to the year, the month or the day. A partial date stands for the END of the period it
names: nobody can tell earlier, and a figure is not called stale on a guess.
"""

from __future__ import annotations

import calendar
import datetime
import re

from tripoint.domain.errors import InternalError
from tripoint.domain.provenance import Provenance

STALE_AFTER_DAYS = 180
_AS_OF = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)


def last_day(as_of: str) -> datetime.date:
    """Last day of the period `as_of` names: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`."""
    match = _AS_OF.fullmatch(as_of)
    try:
        if match is None:
            raise ValueError
        year, month = int(match[1]), int(match[2] or 12)
        return datetime.date(year, month, int(match[3] or calendar.monthrange(year, month)[1]))
    except ValueError:
        raise InternalError(f"`{as_of}` is not a date of the form YYYY, YYYY-MM or YYYY-MM-DD") from None


def age_days(provenance: Provenance, today: datetime.date) -> int:
    """Days since the figure's date; 0 for one whose period has not ended."""
    return max(0, (today - last_day(provenance.as_of)).days)


def is_stale(provenance: Provenance, today: datetime.date) -> bool:
    """True when the figure is older than 180 days."""
    return age_days(provenance, today) > STALE_AFTER_DAYS
