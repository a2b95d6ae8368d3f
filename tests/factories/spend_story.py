"""Ledgers a report can be looked at with: three weeks of an estate's days, a single day, and none."""

from __future__ import annotations

from tripoint.adapters.ledger_sql.ledger import SqlLedger
from tripoint.adapters.sql.connect import connect
from tripoint.domain.ledger import Adjustment, EntryKind
from tripoint.domain.record import Usage, UsageRecord
from tripoint.engines.governance.ledger.days import DAY_S, day_number
from tripoint.testing.ledger_conformance import piece, usage_record

FIRST = "2027-02-01"
"""First day with entries."""
TENANTS = ("retail-eu", "claims", "research", "web", "legal", "ops", "sandbox", "trial")
"""Who pays, the dearest first."""
PLACES = (
    ("colo-ams", "dense-1", "llama-70b", "customer-chat-eu"),
    ("aws-virginia", "cloud-1", "llama-70b", "code-assistant"),
    ("stores-eu", "edge-1", "llama-8b", "contract-review"),
    ("colo-ams", "dense-embed-1", "bge-m3", "search-rerank"),
)
"""Site, upstream, model and workload."""
NOON_S = DAY_S / 2


def story(url: str, days: int, first: str = FIRST) -> float:
    """Fills the store at `url` with so many days from the first on; when the last of them was over by half, seconds since 1970."""
    ledger = SqlLedger(connect(url), lambda: 0.0)
    for day in range(days):
        at = day_number(first) * DAY_S + day * DAY_S
        records = [
            _record(len(TENANTS) * len(PLACES) * day + len(PLACES) * rank + place, at + NOON_S / 2, rank, place, day)
            for rank in range(len(TENANTS))
            for place in range(len(PLACES))
        ]
        ledger.load([piece(records, source=f"usage-0-aa-{day:06d}.seg")], _adjustments(day, at))
    ledger.close()
    return (day_number(first) + max(0, days - 1)) * DAY_S + NOON_S


def _record(number: int, at: float, rank: int, place: int, day: int) -> UsageRecord:
    site, upstream, model, workload = PLACES[place]
    weight = (5 + day % 7) * (place + 1) * 150 * 10**9 // (rank + 1) ** 2
    tokens = 3_000_000 * (5 + day % 7) // (rank + 1)
    return usage_record(
        number, at=at, tenant=TENANTS[rank], key=f"key-{rank}", workload=workload, model=model, site=site,
        upstream=upstream, usage=Usage(tokens, tokens // 5, tokens // 3), nano=weight, list_nano=weight * 3 // 2,
        marginal_nano=weight // 2, tariff=f"{workload}/{upstream}/{model}", prices="p1" if day < 10 else "p2",
        ending="cut" if number % 97 == 5 else "ok",
    )  # fmt: skip


def _adjustments(day: int, at: float) -> list[Adjustment]:
    idle = [
        Adjustment(
            f"idle/{upstream}/{day}", EntryKind.IDLE, at + NOON_S / 3, "", "", "", "", site, upstream,
            (12 - day % 7) * 10**9, (12 - day % 7) * 10**9, 0, 0, "p1", "", "not used in this hour",
        )
        for site, upstream, _, _ in PLACES[:3]
    ]  # fmt: skip
    if day % 9 != 4:
        return idle
    return [
        *idle,
        Adjustment(
            f"unconfirmed:req-{day}", EntryKind.UNCONFIRMED, at, "claims", "key-1", "customer-chat-eu", "llama-70b",
            "colo-ams", "dense-1", 41_250_000, 41_250_000, 900, 120, "p1", "", "its worker died without a word",
        ),
        Adjustment(
            f"repriced/req-{day}", EntryKind.CORRECTION, at, "web", "key-3", "code-assistant", "llama-70b",
            "aws-virginia", "cloud-1", -250_000_000, 0, 0, 0, "p2", f"req-{day}",
            "computed by price version p2 instead of p1",
        ),
    ]  # fmt: skip
