"""What every ledger must keep: run these on your own by subclassing and giving `open_ledger`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from tripoint.domain.errors import OptionError
from tripoint.domain.ledger import (
    Adjustment,
    Damage,
    Dimension,
    EntryKind,
    EntryQuery,
    Loaded,
    Piece,
    PriceRow,
    Spend,
    SpendQuery,
)
from tripoint.domain.money import Tariff
from tripoint.domain.record import AttemptRecord, Bill, Ending, Usage, UsageRecord
from tripoint.ports import Ledger

NOON = 1_795_003_200.0
"""Noon of 2026-11-18, UTC."""
_FIRST, _LAST = "1970-01-01", "2999-12-31"
_D = Dimension


def usage_record(number: int, **fields: object) -> UsageRecord:
    """A streamed chat of 120 and 64 tokens at noon."""
    tried = AttemptRecord("a", "site-a", "llama", "plan", 0.0001, 0.2, 200, "")
    made = UsageRecord(
        f"req-{number}", NOON, "acme", "key-1", "chat", "llama", "chat", "site-a", "a", 200, Ending.OK, "", True,
        Usage(120, 64, 40, 8), 0.05, 0.0125, 0.8, 0.00012, "plan", 120_345, 300_000, 90_001, "chat/a/llama", "p1",
        "0af7651916cd43dd8448eb211c80319c", (tried,),
    )  # fmt: skip
    return made._replace(**fields)  # type: ignore[arg-type]  # the caller names fields of a record


def piece(
    records: Sequence[UsageRecord], start: int = 0, end: int = 100, source: str = "usage-0-aa-000000.seg"
) -> Piece:
    """Records read from one segment."""
    return Piece(source, "aa", start, end, tuple(records))


def idle(id: str = "idle/a/1", nano: int = 5_000, at: float = NOON) -> Adjustment:
    """Capacity that nobody used."""
    return Adjustment(
        id, EntryKind.IDLE, at, "", "", "", "llama", "site-a", "a", nano, nano, 0, 0, "p1", "", "not used"
    )


class LedgerConformance:
    """The promises of `Ledger`, as tests."""

    def open_ledger(self) -> Ledger:
        """A hand on the same, at first empty, ledger; called several times it gives several hands."""
        raise AssertionError("a conformance test must say how its ledger is opened")

    def test_what_is_loaded_is_told_in_full(self) -> None:
        """Every field of a record comes back; when it began, to the microsecond."""
        ledger = self.open_ledger()
        assert ledger.load([piece([usage_record(1)])]) == Loaded(1, 0)
        entry = next(ledger.entries(EntryQuery()))
        assert entry[1:12] == (
            "usage", "req-1", NOON, "acme", "key-1", "chat", "llama", "site-a", "a", "chat/a/llama", "p1",
        )  # fmt: skip
        assert entry[12:20] == ("chat", 200, "ok", "", True, False, "plan", 1)
        assert entry[20:27] == (120, 40, 64, 8, 120_345, 300_000, 90_001)
        assert entry[27:31] == (0.05, 0.0125, 0.8, 0.00012)
        assert entry[31:] == ("0af7651916cd43dd8448eb211c80319c", "", usage_record(1).attempts)

    def test_an_id_counts_once(self) -> None:
        """Within a piece, over pieces and over loads; the sums hold what the entries hold."""
        ledger = self.open_ledger()
        twice = [usage_record(1), usage_record(2), usage_record(1)]
        assert ledger.load([piece(twice), piece(twice, source="other")]) == Loaded(2, 4)
        assert ledger.load([piece([usage_record(2), usage_record(3)], 100, 200)]) == Loaded(1, 1)
        assert _total(ledger).requests == 3
        assert _total(ledger).nano == 3 * 120_345
        assert ledger.audit(_FIRST, _LAST) == ()

    def test_a_segment_goes_on_where_it_was_left(self) -> None:
        """A piece that begins elsewhere enters nothing, and the others are loaded all the same."""
        ledger, other = self.open_ledger(), self.open_ledger()
        ledger.load([piece([usage_record(1)])])
        late = piece([usage_record(9)], 0, 50)
        skipping = piece([usage_record(8)], 150, 180)
        good = piece([usage_record(2)], source="other")
        assert other.load([late, skipping, good]) == Loaded(1, 0, (late.source, skipping.source))
        assert ledger.offsets() == {"usage-0-aa-000000.seg": 100, "other": 100}
        assert [entry.id for entry in ledger.entries(EntryQuery())] == ["req-1", "req-2"]
        ledger.forget_segments(["other"])
        assert ledger.offsets() == {"usage-0-aa-000000.seg": 100}
        assert ledger.known(["req-1", "req-9", *(f"none-{number}" for number in range(2000))]) == {"req-1"}

    def test_adjustments_are_entries_that_no_request_made(self) -> None:
        """They count money, never requests, and cannot be entered twice."""
        ledger = self.open_ledger()
        assert ledger.load([piece([usage_record(1)])], [idle(), idle()]) == Loaded(2, 1)
        correction = idle("fix/1", -200)._replace(kind=EntryKind.CORRECTION, corrects="req-1", tenant="acme")
        assert ledger.load([], [idle(), correction]) == Loaded(1, 1)
        rows = ledger.spend(SpendQuery(by=(_D.KIND,)))
        assert [(row.by, row.requests, row.nano) for row in rows] == [
            (("correction",), 0, -200), (("idle",), 0, 5_000), (("usage",), 1, 120_345),
        ]  # fmt: skip
        told = next(ledger.entries(EntryQuery(kinds=(EntryKind.CORRECTION,))))
        assert (told.corrects, told.reason, told.nano) == ("req-1", "not used", -200)
        assert ledger.audit(_FIRST, _LAST) == ()

    def test_what_further_upstreams_billed_is_told_where_it_arose(self) -> None:
        """Each upstream has its part; together they are what the request cost; it is one request."""
        ledger = self.open_ledger()
        lost = Bill("b", "site-b", "llama", "chat/b/llama", "p1", Usage(120, 3), 345, 400, 1)
        ledger.load([piece([usage_record(1, billed=(lost,)), usage_record(2, upstream="", site="", billed=(lost,))])])
        rows = ledger.spend(SpendQuery(by=(_D.UPSTREAM,)))
        assert [(row.by, row.requests, row.nano) for row in rows] == [
            (("",), 1, 0), (("a",), 1, 120_000), (("b",), 0, 690),
        ]  # fmt: skip
        assert [entry.id for entry in ledger.entries(EntryQuery())] == ["req-1", "req-1/1", "req-2", "req-2/1"]

    def test_every_question_has_the_answer_the_entries_give(self) -> None:
        """Whatever is told apart and chosen by: sums kept beforehand never differ from a recount."""
        ledger = self.open_ledger()
        records = [
            usage_record(
                number,
                at=NOON + 7_000.0 * number,
                tenant=f"tenant-{number % 3}",
                key=f"key-{number % 5}",
                workload=f"work-{number % 2}",
                model=f"model-{number % 4}",
                site=f"site-{number % 3}",
                upstream=f"up-{number % 6}",
                ending=(Ending.OK, Ending.CUT, Ending.REFUSED)[number % 3],
                usage=Usage(number, 2 * number, number // 2, number // 3, number % 4 == 0),
                nano=number**3,
            )
            for number in range(60)
        ]
        ledger.load([piece(records)], [idle()])
        dimensions = (_D.DAY, _D.HOUR, _D.KIND, _D.TENANT, _D.KEY, _D.WORKLOAD, _D.MODEL, _D.SITE, _D.UPSTREAM)
        asked = [
            SpendQuery(by=by, tenant=tenant, model=model, since="2026-11-19", until="2026-11-21")
            for by in itertools.chain(
                [()], itertools.combinations(dimensions, 1), itertools.permutations(dimensions, 2)
            )
            for tenant, model in ((None, None), ("tenant-1", None), (None, "model-3"), ("tenant-2", "model-0"))
        ]
        days = SpendQuery(by=(_D.DAY, _D.TENANT, _D.MODEL, _D.SITE), since="2026-11-19", until="2026-11-21")
        asked += [replace(days, kinds=(EntryKind.USAGE,)), replace(days, by=(*days.by, _D.KIND), tenant="tenant-1")]
        for query in asked:
            found = _recount(records, query)
            assert ledger.spend(query) == found, query
            dearest = sorted(found, key=lambda row: (-row.nano, row.by))
            assert ledger.spend(replace(query, most=5)) == tuple(dearest[:5]), query
        assert ledger.audit(_FIRST, _LAST) == ()

    def test_one_tenant_never_sees_another(self) -> None:
        """In sums and in entries, whatever else is asked."""
        ledger = self.open_ledger()
        ledger.load([piece([usage_record(number, tenant=f"t{number % 2}") for number in range(10)])])
        for by in (*((each,) for each in Dimension), (_D.TENANT, _D.KEY), tuple(Dimension)):
            rows = ledger.spend(SpendQuery(by=by, tenant="t1"))
            assert sum(row.requests for row in rows) == 5
            assert all(row.by[by.index(_D.TENANT)] == "t1" for row in rows if _D.TENANT in by)
        assert {entry.tenant for entry in ledger.entries(EntryQuery(tenant="t1"))} == {"t1"}
        assert ledger.spend(SpendQuery(by=(_D.TENANT,), tenant="t' OR 1=1 --")) == ()
        assert list(ledger.entries(EntryQuery(tenant=""))) == []

    def test_entries_come_in_pages_and_in_order(self) -> None:
        """Forwards and backwards, from where the last page ended."""
        ledger = self.open_ledger()
        ledger.load([piece([usage_record(number, at=NOON + number) for number in range(25)])])
        forwards = [entry.id for entry in ledger.entries(EntryQuery(limit=10))]
        assert forwards == [f"req-{number}" for number in range(10)]
        last = list(ledger.entries(EntryQuery(limit=10, is_newest_first=True)))
        assert [entry.id for entry in last] == [f"req-{number}" for number in range(24, 14, -1)]
        rest = ledger.entries(EntryQuery(is_newest_first=True, after=last[-1].number))
        assert [entry.id for entry in rest] == [f"req-{number}" for number in range(14, -1, -1)]
        window = ledger.entries(EntryQuery(since=NOON + 3, until=NOON + 5))
        assert [entry.id for entry in window] == ["req-3", "req-4"]

    def test_prices_are_kept_by_version_and_never_change(self) -> None:
        """What a record was billed by can be looked up as long as the record."""
        ledger = self.open_ledger()
        rows = tuple(_price_row(number) for number in range(3))
        ledger.keep_prices("p1", rows, NOON)
        ledger.keep_prices("p1", (_price_row(7),), NOON + 1)
        assert ledger.prices("p1") == rows
        assert ledger.prices("p2") == ()

    def test_damage_is_kept_with_the_offset(self) -> None:
        """What could not be read is told for good, once."""
        ledger = self.open_ledger()
        torn = Damage("usage-0-aa-000000.seg", 40, 20, "checksum differs")
        ledger.load([piece([usage_record(1)])._replace(damage=(torn,))])
        assert ledger.damage() == (torn,)

    def test_dropped_entries_leave_their_sums(self) -> None:
        """Old entries go, day by day; what only they could tell is refused, never told wrongly."""
        ledger = self.open_ledger()
        days = [usage_record(number, at=NOON + 86_400 * (number // 2)) for number in range(6)]
        ledger.load([piece(days)])
        before = ledger.spend(SpendQuery(by=(_D.DAY, _D.KEY)))
        assert ledger.prune("2026-11-19") == 2
        assert ledger.spend(SpendQuery(by=(_D.DAY, _D.KEY))) == before
        assert [entry.id for entry in ledger.entries(EntryQuery())] == ["req-2", "req-3", "req-4", "req-5"]
        assert ledger.audit(_FIRST, _LAST) == ()
        with pytest.raises(OptionError, match="2026-11-19"):
            ledger.spend(SpendQuery(by=(_D.HOUR, _D.KEY)))
        assert len(ledger.spend(SpendQuery(by=(_D.HOUR, _D.KEY), since="2026-11-19"))) == 2
        assert ledger.load([piece([usage_record(7)], 100, 200)]) == Loaded(1, 0)

    def test_money_is_exact_to_the_last_nano_dollar(self) -> None:
        """Far beyond what a float holds."""
        ledger = self.open_ledger()
        ledger.load([piece([usage_record(n, nano=2**53 + 1 + n, list_nano=-(2**53) - 1) for n in range(100)])])
        assert _total(ledger).nano == sum(2**53 + 1 + n for n in range(100))
        assert _total(ledger).list_nano == -100 * (2**53 + 1)

    def test_nothing_at_all(self) -> None:
        """An empty ledger answers, and an empty load changes nothing."""
        ledger = self.open_ledger()
        assert ledger.load([]) == Loaded(0, 0)
        assert ledger.spend(SpendQuery(by=())) == ()
        assert ledger.spend(SpendQuery(by=(_D.TENANT,))) == ()
        assert list(ledger.entries(EntryQuery())) == []
        assert ledger.prune("2026-11-19") == 0


def _price_row(number: int) -> PriceRow:
    charged, listed, marginal, firm = (Tariff(f"row/{number}", number + part, 2, 3, 4 * part) for part in range(4))
    return PriceRow(charged, listed, marginal, firm, "owned pool, 3 years")


def _total(ledger: Ledger) -> Spend:
    return ledger.spend(SpendQuery(by=()))[0]


def _recount(records: Sequence[UsageRecord], query: SpendQuery) -> tuple[Spend, ...]:
    """The same sums, the slow way; the idle entry at noon of the first day is outside of what is asked here."""
    from datetime import UTC, datetime

    values: dict[Dimension, Callable[[UsageRecord], str]] = {
        _D.DAY: lambda r: f"{datetime.fromtimestamp(r.at, UTC):%Y-%m-%d}",
        _D.HOUR: lambda r: f"{datetime.fromtimestamp(r.at, UTC):%Y-%m-%dT%H}",
        _D.KIND: lambda r: "usage",
    }
    sums: dict[tuple[str, ...], list[int]] = {}
    for r in records:
        day = values[_D.DAY](r)
        if (query.since or _FIRST) <= day <= (query.until or _LAST) and all(
            wanted in (None, is_so) for wanted, is_so in ((query.tenant, r.tenant), (query.model, r.model))
        ):
            by = tuple(values[each](r) if each in values else str(getattr(r, each.value)) for each in query.by)
            usage = r.usage
            row = (
                1, int(r.ending != Ending.OK), int(usage.is_estimated), usage.tokens_in, usage.cached,
                usage.tokens_out, usage.reasoning, r.nano, r.list_nano, r.marginal_nano,
            )  # fmt: skip
            sums[by] = [a + b for a, b in zip(sums.get(by, [0] * 10), row, strict=True)]
    return tuple(Spend(by, *sums[by]) for by in sorted(sums))
