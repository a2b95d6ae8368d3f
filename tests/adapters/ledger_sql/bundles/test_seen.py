"""One bit for each id: what was in is in, what was not is not, whatever ids look like."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tripoint.adapters.ledger_sql.bundles.seen import PAGE, admit, known, numbered
from tripoint.adapters.ledger_sql.schema import schema
from tripoint.adapters.sql.database import Engine, prepare
from tripoint.adapters.sql.sqlite import SqliteDatabase

_COUNTS = st.integers(0, 3 * PAGE) | st.integers(0, 10**13)
_ODD = st.text(max_size=6) | st.sampled_from(
    (
        "",
        "-",
        "a-",
        "a--1",
        "a-01",
        "a-+1",
        "a-1_0",
        "a- 1",
        "a-1\n",
        "-7",
        "a-\u0663",
        "a-1/1",
        "17",
        "\na-3",
        "a-3\na-4",
    )
)
_IDS = st.lists(st.builds("{}-{}".format, st.sampled_from(("a", "b", "a-b", "")), _COUNTS) | _ODD, max_size=40)


def opened(folder: Path) -> SqliteDatabase:
    """A store with the ledger's tables."""
    database = SqliteDatabase(folder / "store.db")
    prepare(database, schema(Engine.SQLITE), lambda: 0.0)
    return database


@given(st.lists(_IDS, max_size=4))
def test_an_id_is_fresh_once(loads: list[list[str]]) -> None:
    """Over any loads, in any order; ids without a number are left to others."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        database = opened(Path(folder))
        before: set[str] = set()
        for ids in loads:
            with database.write() as session:
                admitted = admit(session, ids)
            for id, is_fresh, is_odd in zip(ids, admitted.fresh.tolist(), admitted.odd.tolist(), strict=True):
                if is_odd:
                    assert not is_fresh
                else:
                    assert is_fresh == (id not in before)
                    before.add(id)
            with database.read() as session:
                assert known(session, [*ids, "a-5000000"]) == before.intersection([*ids, "a-5000000"])
        database.close()


@given(_IDS)
def test_a_number_is_one_only_where_it_gives_the_id_back(ids: list[str]) -> None:
    """No two ids ever share a bit; every place is told once."""
    places: list[int] = []
    for prefix, found, counts in numbered(ids):
        places += found.tolist()
        assert [f"{prefix}-{count}" for count in counts.tolist()] == [ids[place] for place in found.tolist()]
    assert len(set(places)) == len(places)


def test_all_alike_and_one_not_are_told_the_same() -> None:
    """The short way for one worker's ids gives what the long way gives."""
    alike = [f"802e9ac30faaf64f-{number}" for number in (0, 7, 10, 99, 100, 8191, 8192, 999_999_999_999)]
    (short,) = numbered(alike)
    (long,) = numbered([*alike, "odd"])
    assert (short.prefix, short.counts.tolist()) == (long.prefix, long.counts.tolist())
    for odd in (
        "802e9ac30faaf64f-01",
        "802e9ac30faaf64f-1000000000000",
        "802e9ac30faaf64f-1_1",
        "802e9ac30faaf64f-",
        "802e9ac30faaf64f-1:",
        "802e9ac30faaf64f-00",
        "802e9ac30faaf64f- 1",
        "802e9ac30faaf64f-1\n",
        "802e9ac30faaf64f-\u0661",
        "17",
    ):
        assert sum(len(part.places) for part in numbered([*alike, odd])) == len(alike)


def test_one_more_dash_is_another_prefix() -> None:
    """Though all begin alike."""
    told = [(part.prefix, part.counts.tolist()) for part in numbered(["a-1", "a-1-1", "a-2"])]
    assert told == [("a", [1, 2]), ("a-1", [1])]


def test_far_apart_counts_do_not_fill_memory(tmp_path: Path) -> None:
    """A page each for a thousand ids: taken in parts."""
    database = opened(tmp_path)
    ids = [f"far-{number * 10 * PAGE}" for number in range(1_200)]
    with database.write() as session:
        assert admit(session, ids).fresh.all()
    with database.write() as session:
        assert not admit(session, ids).fresh.any()
        assert known(session, ids) == set(ids)
    database.close()
