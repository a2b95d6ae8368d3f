"""From sums of spend by hour or day to what each workload was asked when, and the time all of them were observed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from tripoint.domain.ledger import Spend
from tripoint.engines.governance.observed.trace import Bin, Observation, Window


def bins_of(rows: Iterable[tuple[str, str, Spend]]) -> dict[str, tuple[Bin, ...]]:
    """Workload -> its bins, ascending; `rows` are (workload, `YYYY-MM-DD` or `YYYY-MM-DDTHH` in UTC, sums)."""
    sums: dict[str, dict[float, list[int]]] = {}
    for workload, time, spend in rows:
        into = sums.setdefault(workload, {}).setdefault(_at(time), [0] * 4)
        for place, amount in enumerate((spend.requests, spend.tokens_in, spend.cached, spend.tokens_out)):
            into[place] += amount
    return {name: tuple(Bin(at, *each) for at, each in sorted(by_time.items())) for name, by_time in sums.items()}


def window_of(seen: Sequence[Observation]) -> Window:
    """From the first request to the last where every one was sighted, else from the first bin to the last one's end."""
    times = [each.at for one in seen for each in one.sightings]
    if times and all(one.is_whole for one in seen):
        return Window(min(times), max(times))
    begins = [each.at for one in seen for each in one.bins]
    ends = [each.at + one.width_s for one in seen for each in one.bins]
    return Window(min(begins), max(ends), max(one.width_s for one in seen))


def _at(time: str) -> float:
    """The first moment of an hour or a day, seconds since 1970."""
    day, _, hour = time.partition("T")
    return datetime.fromisoformat(day).replace(hour=int(hour or 0), tzinfo=UTC).timestamp()
