from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.spending import VERSION, ledger_of, price_row, priced_record

from tripoint.adapters.focus_files.read import read_bill
from tripoint.adapters.focus_files.write import write_csv
from tripoint.adapters.ledger_sql.ledger import SqlLedger
from tripoint.apps.render.bills.comparison import reconcile_text
from tripoint.domain.bill import BillRow
from tripoint.domain.errors import FileError, OptionError
from tripoint.domain.ledger import Adjustment, EntryKind
from tripoint.domain.record import Usage, UsageRecord
from tripoint.engines.governance.reconcile.words import Cause, Reconciliation
from tripoint.testing.ledger_conformance import NOON, piece
from tripoint.usecases.accounts.login import local_actor
from tripoint.usecases.focus import ExportOptions, export_bill
from tripoint.usecases.reconcile import Reconciled, ReconcileOptions, apply_corrections, reconcile_bill

ME = local_actor("me")
PRICE = price_row("chat/a/llama", (200_000, 20_000, 800_000, 0))
CHEAPER = price_row("chat/a/llama", (150_000, 20_000, 600_000, 0))
HOUR_S = 3_600


def records() -> list[UsageRecord]:
    """Three days of one model, a request an hour."""
    return [
        priced_record(number, PRICE, Usage(1000 + number, 100 + number, 400, 0), at=NOON + number * HOUR_S)
        for number in range(72)
    ]


@pytest.fixture(name="ledger")
def _ledger(tmp_path: Path) -> Iterator[SqlLedger]:
    with closing(ledger_of(tmp_path / "store.db", [PRICE], records())) as ledger:
        yield ledger


@pytest.fixture(name="bill")
def _bill(ledger: SqlLedger, tmp_path: Path) -> list[BillRow]:
    """A provider's bill that agrees: an export of the same records, without our own columns."""
    return exported(ledger, tmp_path)


def exported(ledger: SqlLedger, folder: Path) -> list[BillRow]:
    """Rows as a provider would send them."""
    file = folder / "bill.csv"
    export_bill(ledger, ME, ExportOptions(), lambda columns, sheets: write_csv(file, columns, sheets))
    return [row._replace(custom={}, details={"ModelId": "Llama"}) for row in read_bill(file)]


def compared(ledger: SqlLedger, rows: Sequence[BillRow], **fields: object) -> Reconciled:
    """What the comparison says; causes always add up."""
    given_ = {"bill": "november", **fields}
    done = reconcile_bill(ledger, ME, rows, ReconcileOptions(**given_))  # type: ignore[arg-type]  # fields of it
    adds_up(done.found)
    return done


def adds_up(found: Reconciliation) -> None:
    """No difference without its causes, to the last digit."""
    for one in found.differences:
        assert sum((each.usd for each in one.causes), Decimal(0)) == one.theirs - one.ours


def causes(done: Reconciled) -> set[Cause]:
    """Every cause that was found."""
    return {each.cause for one in done.found.differences for each in one.causes}


def meter(rows: Sequence[BillRow], name: str, change: Callable[[BillRow], BillRow]) -> list[BillRow]:
    """The bill with the rows of one meter changed."""
    return [change(row) if row.meter == name else row for row in rows]


def test_a_bill_that_agrees_has_no_difference(ledger: SqlLedger, bill: list[BillRow]) -> None:
    """Four calendar days of one model."""
    done = compared(ledger, bill)
    assert causes(done) == set()
    assert len(done.found.differences) == 4
    assert (done.is_within, done.proposed) == (True, ())


def test_cents_are_rounding(ledger: SqlLedger, bill: list[BillRow]) -> None:
    """A bill in cents differs by no more than its digits say, and a correction settles it."""
    cents = [row._replace(effective=row.effective.quantize(Decimal("0.01"))) for row in bill]
    done = compared(ledger, cents)
    assert causes(done) == {Cause.ROUNDING}
    assert done.is_within


def test_days_that_begin_elsewhere_are_found(ledger: SqlLedger, bill: list[BillRow], tmp_path: Path) -> None:
    """Their days begin at 08:00 UTC although they are written as if at midnight: both sides hold the same tokens."""
    moved = [record._replace(at=record.at - 8 * HOUR_S) for record in records()]
    with closing(ledger_of(tmp_path / "moved.db", [PRICE], moved)) as other:
        theirs = exported(other, tmp_path)
    done = compared(ledger, theirs)
    assert causes(done) <= {Cause.ZONE, Cause.ROUNDING}
    assert done.found.shift_h == 8
    assert done.is_within
    assert len(bill) > 0


def test_requests_after_the_bill_was_written_shift_no_day(tmp_path: Path) -> None:
    """A bill with a quarter of a day's requests: the rest are missing at theirs, and no day begins elsewhere."""
    early = [priced_record(number, PRICE, Usage(1000, 100, 400, 0), at=NOON + number * 60) for number in range(20)]
    late = [priced_record(99 + n, PRICE, Usage(1000, 100, 400, 0), at=NOON + 9 * HOUR_S + n * 60) for n in range(60)]
    with closing(ledger_of(tmp_path / "early.db", [PRICE], early)) as ledger:
        bill = exported(ledger, tmp_path)
    with closing(ledger_of(tmp_path / "all.db", [PRICE], [*early, *late])) as ledger:
        done = compared(ledger, bill)
    assert done.found.shift_h == 0
    assert causes(done) <= {Cause.MISSING_THEIRS, Cause.ROUNDING}
    told = [each.text for each in done.found.differences[0].causes]
    assert "Input Tokens: 12,000 on the bill, 48,000 recorded" in told
    assert (done.is_within, done.open_usd, done.proposed) == (True, Decimal(0), ())


def test_what_comes_from_beyond_the_bill_shifts_no_day(tmp_path: Path) -> None:
    """More on a bill of one day than we recorded of it: the evening before is not taken to make it up."""
    evening = [priced_record(number, PRICE, Usage(1000, 100), at=NOON - 14 * HOUR_S + number) for number in range(30)]
    noon = [priced_record(99 + number, PRICE, Usage(1000, 100), at=NOON + number) for number in range(50)]
    with closing(ledger_of(tmp_path / "more.db", [PRICE], [at._replace(at=NOON + 9) for at in evening] + noon)) as more:
        bill = exported(more, tmp_path)
    with closing(ledger_of(tmp_path / "both.db", [PRICE], [*evening, *noon])) as ledger:
        done = compared(ledger, bill)
    assert done.found.shift_h == 0
    assert causes(done) <= {Cause.UNEXPLAINED, Cause.ROUNDING}
    assert done.open_usd > 0


def test_days_that_say_where_they_begin_need_no_explanation(ledger: SqlLedger, tmp_path: Path) -> None:
    """The same with honest charge periods."""
    moved = [record._replace(at=record.at - 8 * HOUR_S) for record in records()]
    with closing(ledger_of(tmp_path / "moved.db", [PRICE], moved)) as other:
        theirs = [
            row._replace(start=row.start + 8 * HOUR_S, end=row.end + 8 * HOUR_S) for row in exported(other, tmp_path)
        ]
    done = compared(ledger, theirs)
    assert causes(done) <= {Cause.ROUNDING}
    assert done.found.shift_h == 0


def test_cached_tokens_are_told(ledger: SqlLedger, bill: list[BillRow]) -> None:
    """They count 300 tokens a day as computed that we saw come from a cache."""
    more = meter(
        bill,
        "Input Tokens",
        lambda row: row._replace(
            consumed=(row.consumed or Decimal(0)) + 300, effective=row.effective + 300 * Decimal("0.0000002")
        ),
    )
    less = meter(more, "Cached Input Tokens", lambda row: row._replace(
        consumed=(row.consumed or Decimal(0)) - 300, effective=row.effective - Decimal("0.000006")))  # fmt: skip
    done = compared(ledger, less)
    assert causes(done) <= {Cause.CACHED, Cause.ROUNDING}
    told = next(each for each in done.found.differences[0].causes if each.cause is Cause.CACHED)
    assert told.text == "300 input tokens computed at theirs, cached at ours"
    assert told.usd == pytest.approx(Decimal("0.000054"), abs=Decimal("1e-9"))


def test_another_price_version_is_recognised(ledger: SqlLedger, bill: list[BillRow]) -> None:
    """They charge last month's price, which we know; a price that nobody knows stays unexplained."""
    old = priced_record(900, CHEAPER, Usage(10, 10), at=NOON - 40 * 86_400)._replace(prices="p0")
    ledger.keep_prices("p0", [CHEAPER], NOON)
    ledger.load([piece([old], source="older")])
    cheaper = meter(bill, "Output Tokens", lambda row: row._replace(effective=row.effective * 3 / 4))
    done = compared(ledger, cheaper)
    assert causes(done) <= {Cause.PRICE_VERSION, Cause.ROUNDING}
    assert f"charged at our price version p0, recorded at {VERSION}" in done.found.differences[0].causes[0].text
    dearer = meter(bill, "Output Tokens", lambda row: row._replace(effective=row.effective * 2))
    again = compared(ledger, dearer)
    assert Cause.UNEXPLAINED in causes(again)
    assert (again.is_within, again.proposed) == (again.open_usd <= Decimal("0.01"), again.proposed)
    assert "1.600000 USD a million on the bill, 0.800000 recorded" in again.found.differences[0].causes[0].text


def test_what_one_side_has_not_is_told(ledger: SqlLedger, bill: list[BillRow]) -> None:
    """A day they forgot costs nothing more; a day we have no record of is open, whatever it is."""
    first = min(row.start for row in bill)
    done = compared(ledger, [row for row in bill if row.start != first + 86_400])
    assert causes(done) == {Cause.MISSING_THEIRS}
    assert done.is_within
    beyond = [*bill, *(row._replace(start=row.start + 9 * 86_400, end=row.end + 9 * 86_400) for row in bill)]
    charged = compared(ledger, beyond, tolerance_usd=Decimal("0.000001"))
    assert causes(charged) == {Cause.MISSING_OURS}
    assert not charged.is_within
    assert charged.proposed == ()


def test_more_tokens_than_recorded_are_unexplained(ledger: SqlLedger, bill: list[BillRow]) -> None:
    """They are told with both counts, and no correction hides them."""
    more = meter(bill, "Output Tokens", lambda row: row._replace(
        consumed=(row.consumed or Decimal(0)) + 1000, effective=row.effective + Decimal("0.0008")))  # fmt: skip
    done = compared(ledger, more, tolerance_usd=Decimal("0.001"))
    assert causes(done) <= {Cause.UNEXPLAINED, Cause.ROUNDING}
    assert done.open_usd == pytest.approx(Decimal("0.0032"), abs=Decimal("1e-7"))
    assert not done.is_within


def test_credits_are_settled_by_a_correction_once(ledger: SqlLedger, bill: list[BillRow]) -> None:
    """Entered, the next comparison agrees; entered again, nothing changes; a restated bill is corrected once more."""
    credit = bill[0]._replace(category="Credit", meter="", sku="", effective=Decimal("-1.25"), consumed=None)
    done = compared(ledger, [*bill, credit])
    assert causes(done) == {Cause.CREDIT}
    assert [row.nano for row in done.proposed] == [-1_250_000_000]
    assert apply_corrections(ledger, done.proposed).added == 1
    assert apply_corrections(ledger, done.proposed).added == 0
    again = compared(ledger, [*bill, credit])
    assert again.proposed == ()
    assert all(one.theirs == one.ours for one in again.found.differences)
    restated = compared(ledger, [*bill, credit._replace(effective=Decimal("-1.50"))])
    assert [row.nano for row in restated.proposed] == [-250_000_000]
    assert apply_corrections(ledger, restated.proposed).added == 1
    assert ledger.audit("1970-01-01", "2999-12-31") == ()


def test_an_upstream_the_ledger_has_nothing_of_is_refused(ledger: SqlLedger, bill: list[BillRow]) -> None:
    """A typing error must not enter corrections; the nearest name is told, or all of them."""
    with pytest.raises(OptionError, match="no entry of an upstream `nope`") as told:
        compared(ledger, bill, upstreams=("nope",))
    assert told.value.hint == "it has entries of a"
    with pytest.raises(OptionError) as near:
        compared(ledger, bill, upstreams=("a", "aa"))
    assert near.value.hint == "did you mean `a`?"
    assert causes(compared(ledger, bill, upstreams=("a",))) == set()


def test_a_credit_that_is_entered_already_is_no_difference(ledger: SqlLedger, bill: list[BillRow]) -> None:
    """Also where its correction names no upstream and the bill of one upstream is compared; any other is told."""
    credit = bill[0]._replace(category="Credit", meter="", sku="", effective=Decimal("-1.25"), consumed=None)
    other = credit._replace(effective=Decimal("-2.50"))
    done = compared(ledger, [*bill, credit])
    assert [row.upstream for row in done.proposed] == [""]
    apply_corrections(ledger, done.proposed)
    for upstreams in ((), ("a",)):
        again = compared(ledger, [*bill, credit], upstreams=upstreams)
        assert (causes(again), again.proposed) == (set(), ())
    assert [row.nano for row in compared(ledger, [*bill, other], upstreams=("a",)).proposed] == [-2_500_000_000]
    both = compared(ledger, [*bill, credit, other], upstreams=("a",))
    assert [row.nano for row in both.proposed] == [-2_500_000_000]


def test_a_model_of_other_days_is_known_by_its_name(ledger: SqlLedger, bill: list[BillRow]) -> None:
    """Charged for without a record on that day, it is still told which model it is."""
    late = [row._replace(start=row.start + 30 * 86_400, end=row.end + 30 * 86_400) for row in bill]
    done = compared(ledger, late)
    assert causes(done) == {Cause.MISSING_OURS}
    assert {one.model for one in done.found.differences} == {"llama"}


def test_models_go_by_other_names_and_units_by_other_sizes(ledger: SqlLedger, bill: list[BillRow]) -> None:
    """A name in a SKU, a mapping, thousands of tokens."""
    theirs = [
        row._replace(
            details={},
            description="",
            sku=f"meta.L-3/{row.meter}",
            unit="1K tokens",
            consumed=(row.consumed or Decimal(0)) / 1000,
        )
        for row in bill
        if row.meter != "Requests"
    ]
    assert Cause.MISSING_OURS in causes(compared(ledger, theirs))
    assert causes(compared(ledger, theirs, models={"L-3": "llama"})) == set()
    with pytest.raises(OptionError, match="knows no model `qwen`"):
        compared(ledger, theirs, models={"L-3": "qwen"})


def test_what_cannot_be_compared_is_refused(ledger: SqlLedger, bill: list[BillRow]) -> None:
    """Euros, an empty bill, a service that is not in it; storage is told apart."""
    with pytest.raises(OptionError, match="is in EUR"):
        compared(ledger, [bill[0]._replace(currency="EUR")])
    with pytest.raises(FileError, match="no row to compare"):
        compared(ledger, [])
    with pytest.raises(FileError, match="no row to compare"):
        compared(ledger, bill, service="Storage")
    month = bill[0]._replace(end=bill[0].start + 720 * HOUR_S)
    with pytest.raises(OptionError, match="sums usage over 720 hours, a bill is compared day by day"):
        compared(ledger, [month])
    compared(ledger, [*bill, month._replace(category="Credit")])
    disk = bill[0]._replace(meter="Disk", sku="disk", description="Disk", unit="GB-Months", pricing_unit="GB-Months")
    assert causes(compared(ledger, [*bill, disk])) == {Cause.OTHER}


def test_a_part_for_each_request_is_not_open_where_the_bill_charges_no_request(tmp_path: Path) -> None:
    """Egress is on another bill: told as such, never corrected; a bill that counts requests is held to its own."""
    price = price_row("chat/a/llama", (200_000, 20_000, 800_000, 540_000_000))
    made = [priced_record(number, price, Usage(1000, 100, 400, 0), at=NOON + number * HOUR_S) for number in range(30)]
    with closing(ledger_of(tmp_path / "egress.db", [price], made)) as ledger:
        bill = exported(ledger, tmp_path)
        assert causes(compared(ledger, bill)) == set()
        tokens_only = compared(ledger, [row for row in bill if row.meter != "Requests"])
        assert causes(tokens_only) == {Cause.ELSEWHERE}
        assert tokens_only.found.total(Cause.ELSEWHERE) == Decimal("0.00054") * 30
        assert (tokens_only.is_within, tokens_only.open_usd, tokens_only.proposed) == (True, Decimal(0), ())
        fewer = meter(bill, "Requests", lambda row: row._replace(consumed=Decimal(1), effective=Decimal("0.00054")))
        assert Cause.UNEXPLAINED in causes(compared(ledger, fewer))
        shown = reconcile_text(tokens_only, 0, applies=False)
        assert "which this bill does not charge" in shown
        assert "0.000000000 rounding" not in shown


def test_a_correction_stays_on_its_day_where_their_days_begin_elsewhere(ledger: SqlLedger, tmp_path: Path) -> None:
    """A credit of no model, days found to begin 13 h early: no further row appears once it is corrected."""
    moved = [record._replace(at=record.at + 13 * HOUR_S) for record in records()]
    with closing(ledger_of(tmp_path / "moved.db", [PRICE], moved)) as other:
        theirs = exported(other, tmp_path)
    credit = theirs[0]._replace(details={}, sku="", meter="", description="", resource="", consumed=Decimal(0),
                                effective=Decimal("-0.5"), category="Credit")  # fmt: skip
    rows = [*theirs, credit]
    done = compared(ledger, rows)
    assert done.found.shift_h == -13
    assert done.proposed
    apply_corrections(ledger, done.proposed)
    again = compared(ledger, rows)
    assert [each[:2] for each in again.found.differences] == [each[:2] for each in done.found.differences]


def test_our_own_export_agrees_with_money_that_is_unconfirmed(tmp_path: Path) -> None:
    """Held for requests of a worker that died: it agrees while it is held, and is told as such once more is."""
    held = Adjustment("unconfirmed:1", EntryKind.UNCONFIRMED, NOON, "acme", "", "chat", "", "", "", 10_737_084,
                      10_737_084, 0, 0, "", "", "a worker died")  # fmt: skip
    with closing(ledger_of(tmp_path / "held.db", [PRICE], records()[:9], [held])) as ledger:
        file = tmp_path / "own.csv"
        export_bill(ledger, ME, ExportOptions(), lambda columns, sheets: write_csv(file, columns, sheets))
        bill = list(read_bill(file))
        done = compared(ledger, bill)
        assert (causes(done), done.open_usd, done.proposed) == (set(), Decimal(0), ())
        assert next((one.model, one.ours) for one in done.found.differences) == ("", Decimal("0.010737084"))
        ledger.load((), [held._replace(id="unconfirmed:2", nano=5_000_000)])
        later = compared(ledger, bill)
        assert causes(later) == {Cause.UNCONFIRMED}
        assert (later.found.total(Cause.UNCONFIRMED), later.is_within, later.proposed) == (Decimal("0.005"), True, ())
        theirs = [row._replace(custom={}) for row in bill if row.custom["x_EntryKind"] == EntryKind.USAGE]
        assert causes(compared(ledger, theirs)) == set()


@settings(max_examples=25)
@given(st.data())
def test_causes_add_up_whatever_the_bill_says(data: st.DataObject) -> None:
    """Rows dropped, doubled, moved in time, with other counts and prices."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        ledger = stack.enter_context(closing(ledger_of(Path(folder) / "store.db", [PRICE], records()[:30])))
        rows = []
        for row in exported(ledger, Path(folder)):
            for _ in range(data.draw(st.integers(0, 2))):
                shift = data.draw(st.integers(-30, 30)) * HOUR_S
                rows.append(row._replace(
                    start=row.start + shift, end=row.end + shift,
                    consumed=Decimal(data.draw(st.integers(0, 10**9))),
                    effective=row.effective * data.draw(st.decimals("-3", "3", places=6)),
                    category=data.draw(st.sampled_from(("Usage", "Credit", "Tax"))),
                ))  # fmt: skip
        if rows:
            done = compared(ledger, rows)
            before = {one[:2]: one.theirs for one in done.found.differences}
            apply_corrections(ledger, done.proposed)
            again = compared(ledger, rows)
            assert {one[:2]: one.theirs for one in again.found.differences} == before
            assert again.proposed == ()
            assert again.open_usd == done.open_usd
