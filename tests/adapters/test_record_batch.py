"""Records as columns say what the records say, and what is no record is refused."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.records import STORY, record

from tripoint.adapters.record_batch import AT, FIGURES, LINE, MOST, SIZE, LineBook, RecordBatch, record_of, sound
from tripoint.domain.record import AttemptRecord, Bill, Ending, Usage, UsageRecord
from tripoint.engines.governance.ledger.cubes import MEASURES

_NAMES = st.sampled_from(("", "a", "b", "a\x1fb", "\x1f", "ä"))


def told(batch: RecordBatch, place: int) -> dict[str, int]:
    """The figures of a record in the table."""
    return dict(zip(MEASURES, batch.table[FIGURES:, place].tolist(), strict=True))


@given(st.lists(st.tuples(_NAMES, _NAMES, _NAMES, st.integers(-(10**15), 10**15), st.sampled_from(Ending)), max_size=9))
def test_columns_are_the_records(drawn: list[tuple[str, str, str, int, Ending]]) -> None:
    """Figures, times, and lines that differ where any name does, whatever names hold."""
    records = [
        record(number, tenant=tenant, key=key, prices=prices, nano=nano, ending=ending, at=1_795_000_000.25 + number)
        for number, (tenant, key, prices, nano, ending) in enumerate(drawn)
    ]
    book = LineBook()
    RecordBatch.of([]), RecordBatch([msgspec.msgpack.encode(each) for each in records[:3]], book)
    batch = RecordBatch([msgspec.msgpack.encode(each) for each in records], book)
    assert list(batch) == records
    for place, each in enumerate(records):
        usage = each.usage
        assert told(batch, place) == {
            "requests": 1, "failed": int(each.ending != Ending.OK), "estimated": int(usage.is_estimated),
            "tokens_in": usage.tokens_in, "cached": usage.cached, "tokens_out": usage.tokens_out,
            "reasoning": usage.reasoning, "nano": each.nano, "list_nano": each.list_nano,
            "marginal_nano": each.marginal_nano,
        }  # fmt: skip
        assert int(batch.table[AT, place]) == round(each.at * 1e6)
        assert batch.keys[int(batch.table[LINE, place])] == (
            "usage", each.tenant, each.key, each.workload, each.model, each.site, each.upstream, each.tariff,
            each.prices,
        )  # fmt: skip


def test_every_story_reads_the_same() -> None:
    """Refused, cut, billed twice: by columns or in full; what several upstreams billed for is known by its place."""
    records = [each for each in STORY if isinstance(each, UsageRecord)]
    records.append(record(9, billed=(Bill("b", "site-b", "llama", "t", "p", Usage(1, 2), 3, 4, 5),)))
    batch = RecordBatch.of(records)
    assert tuple(batch[:]) == tuple(records)
    assert batch.billed == [place for place, each in enumerate(records) if each.billed]
    assert batch.ids == [each.id for each in records]


def test_many_are_read_in_parts_and_each_stands_in_its_place() -> None:
    """More records than are read at once: figures, lines and who was billed twice are those of each."""
    twice = (Bill("b", "site-b", "llama", "t", "p", Usage(1, 2), 3, 4, 5),)
    records = [
        record(number, nano=7 * number - 500, key=f"k{number % 11}", billed=twice if number % 401 == 400 else ())
        for number in range(1_003)
    ]
    batch = RecordBatch.of(records)
    assert batch.billed == [400, 801]
    assert batch.table[FIGURES + MEASURES.index("nano")].tolist() == [each.nano for each in records]
    assert [batch.keys[line][2] for line in batch.table[LINE].tolist()] == [each.key for each in records]
    blobs = [msgspec.msgpack.encode(each) for each in records]
    assert batch.table[SIZE].tolist() == [len(blob) for blob in blobs]
    assert batch.written == b"".join(blobs)
    assert (batch[0], batch[-1], batch[401]) == (records[0], records[-1], records[401])
    assert batch[-3:] == tuple(records[-3:])
    with pytest.raises(IndexError):
        batch[1_003]


@pytest.mark.parametrize(
    "fields",
    [
        {"nano": MOST},
        {"usage": Usage(-MOST, 0)},
        {"at": -1.0},
        {"at": float("nan")},
        {"ttft_s": float("inf")},
        {"billed": (Bill("b", "s", "m", "t", "p", Usage(1, MOST), 3, 4, 5),)},
    ],
)
def test_figures_that_no_database_holds_are_refused(fields: dict[str, object]) -> None:
    """Alone and among others, by columns and in full."""
    blob = msgspec.msgpack.encode(record(1, **fields))
    with pytest.raises(msgspec.ValidationError):
        RecordBatch([msgspec.msgpack.encode(record(0)), blob])
    with pytest.raises(msgspec.ValidationError):
        sound(blob)


def test_attempts_of_another_version_are_left_out() -> None:
    """Their money is told all the same; a record that is none is refused."""
    whole = record(1)
    fields = list(whole)
    fields[UsageRecord._fields.index("attempts")] = [[*AttemptRecord("a", "s", "m", "plan", 0.0, 0.1, 200, ""), "new"]]
    blob = msgspec.msgpack.encode(fields)
    assert record_of(blob) == whole._replace(attempts=())
    assert told(RecordBatch([blob]), 0)["nano"] == whole.nano
    with pytest.raises(msgspec.ValidationError):
        record_of(msgspec.msgpack.encode(fields[:5]))
