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
    ("colo-ams", "dense-1", "llama-70b", "customer-chat-eu", 1_500, 2),
    ("aws-virginia", "cloud-1", "llama-70b", "code-assistant", 7_000, 4),
    ("stores-eu", "edge-1", "llama-8b", "store-assistant", 800, 1),
    ("colo-ams", "dense-embed-1", "bge-m3", "search-rerank", 300, 1),
)
"""Site, upstream, model, workload, USD of an ordinary day, USD of a million tokens."""
IDLE = (500, 1_600, 350)
"""USD of an ordinary day that the first places are idle for."""
NOON_S = DAY_S / 2


def story(url: str, days: int, first: str = FIRST, each: int = 1) -> float:
    """Fills the store at `url` with so many days from the first on, `each` requests by tenant, place and day.

    Tells when the last of them was over by half, seconds since 1970.
    """
    ledger = SqlLedger(connect(url), lambda: 0.0)
    for day in range(days):
        at = (day_number(first) + day) * DAY_S
        records = [
            _record(f"req-{day}-{rank}-{place}-{one}", at + one, (rank, place, day), each)
            for rank in range(len(TENANTS))
            for place in range(len(PLACES))
            for one in range(each)
        ]
        ledger.load([piece(records, source=f"usage-0-aa-{day:06d}.seg")], _adjustments(day, at))
    ledger.close()
    return (day_number(first) + max(0, days - 1)) * DAY_S + NOON_S


def _record(id: str, at: float, place: tuple[int, int, int], each: int) -> UsageRecord:
    """One of `each` requests of a tenant (by rank) at a place on a day."""
    rank, number, day = place
    site, upstream, model, workload, usd, usd_per_mtok = PLACES[number]
    nano = usd * 10**9 * (5 + day % 7) // (12 * (rank + 1) ** 2) // each
    tokens = nano // (usd_per_mtok * 1000)
    return usage_record(
        0, id=id, at=at, tenant=TENANTS[rank], key=f"key-{rank}", workload=workload, model=model, site=site,
        upstream=upstream, usage=Usage(tokens * 5 // 6, tokens // 6, tokens // 3), nano=nano, list_nano=nano * 3 // 2,
        marginal_nano=nano // 2, tariff=f"{workload}/{upstream}/{model}", prices="p1" if day < 10 else "p2",
        ending="cut" if (day + rank + number) % 29 == 0 else "ok",
    )  # fmt: skip


def _adjustments(day: int, at: float) -> list[Adjustment]:
    idle = [
        Adjustment(
            f"idle/{upstream}/{day}", EntryKind.IDLE, at + NOON_S / 3, "", "", "", "", site, upstream,
            usd * (12 - day % 7) * 10**8, usd * (12 - day % 7) * 10**8, 0, 0, "p1", "", "not used on this day",
        )
        for (site, upstream, *_), usd in zip(PLACES, IDLE, strict=False)
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
