"""What was really answered where, and how fast: from the ledger to the service times that trials use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from tripoint.domain.errors import OptionError
from tripoint.domain.ledger import Entry, EntryKind, EntryQuery
from tripoint.domain.record import Ending
from tripoint.domain.tenancy import Actor
from tripoint.engines.stress.stations.observed import Answered
from tripoint.ports import Ledger
from tripoint.usecases.spend import see_entries

NEWEST: Final = 200_000
"""Entries looked at, the newest first."""

Answers = Mapping[tuple[str, str], Sequence[Answered]]


def measure_ledger(ledger: Ledger, actor: Actor, newest: int = NEWEST) -> Answers:
    """Answers by (site, model), from the newest entries; raises `OptionError` where none of them tells a time."""
    query = EntryQuery(kinds=(EntryKind.USAGE,), is_newest_first=True, limit=newest)
    found = answers_of(see_entries(ledger, actor, query))
    if not any(answer.per_token_s > 0 for answers in found.values() for answer in answers):
        raise OptionError(
            "the ledger holds no streamed answer, so it has no service times",
            hint="serve streamed traffic first, or leave `--measured` out",
        )
    return found


def answers_of(entries: Iterable[Entry]) -> Answers:
    """Whole answers by (site, model); those that were not streamed, or whose tokens were counted here, tell no times.

    Their clock begins when the place that answered was asked: what went before is the gateway's.
    """
    found: dict[tuple[str, str], list[Answered]] = {}
    for entry in entries:
        if entry.requests != 1 or entry.ending != Ending.OK or entry.total_s <= 0:
            continue
        gave = [attempt for attempt in entry.attempts if attempt.upstream == entry.upstream and not attempt.failure]
        before = gave[-1].started_s if gave else entry.own_s
        is_timed = entry.is_stream and not entry.is_estimated and entry.tokens_out > 1 and entry.ttft_s > before
        found.setdefault((entry.site, entry.model), []).append(
            Answered(
                began_s=entry.at + before,
                first_token_s=max(entry.ttft_s - before, 0.0),
                per_token_s=entry.tpot_s if is_timed else 0.0,
                total_s=max(entry.total_s - before, 0.0),
                input_tokens=float(max(entry.tokens_in - entry.cached, 0)),
                output_tokens=float(entry.tokens_out),
            )
        )
    return found
