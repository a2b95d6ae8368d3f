"""Gateways on one store cut quotas among themselves: they come, go, die, and never apply more than there is."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path

from tests.apps.ledger.test_leases import Place

from tripoint.apps import stores
from tripoint.apps.ledger.leases.nodes import DEAD_S, NodeParts, node_of
from tripoint.apps.ledger.leases.till import StoreTill
from tripoint.domain.tenancy import Scope
from tripoint.engines.governance.access.limits import Rates
from tripoint.engines.governance.budget.shares import EVERYTHING, Node, Part, part_for
from tripoint.usecases.accounts import limits, tenants
from tripoint.usecases.accounts.login import local_actor
from tripoint.usecases.accounts.turn import Turn


class Board:
    """The store's rows, in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, Node] = {}
        self.writes = 0

    def nodes(self) -> list[Node]:
        """See `NodeStore`."""
        return list(self.rows.values())

    def take_part(self, id: str, dead: Collection[str]) -> Part:
        """See `NodeStore`."""
        self.writes += 1
        for each in dead:
            self.rows.pop(each, None)
        known = self.rows.get(id)
        self.rows[id] = Node(id, 0 if known is None else known.beat + 1, part_for(id, self.nodes()))
        return self.rows[id].part

    def leave(self, id: str) -> None:
        """See `NodeStore`."""
        self.rows.pop(id, None)


def applied(board: Board) -> int:
    """How much of the line all nodes apply."""
    return sum(each.part.size for each in board.rows.values())


def test_a_newcomer_waits_for_room_and_gets_half() -> None:
    """The first accounts are told once there is a part; whoever looks next makes room."""
    board, one, two = Board(), NodeParts("one"), NodeParts("two")
    assert one.look(board, 0.0, has_quotas=True) == EVERYTHING
    assert two.look(board, 0.1, has_quotas=True) is None
    assert one.look(board, 0.25, has_quotas=True) == Part(0, EVERYTHING.high // 2)
    assert two.look(board, 0.35, has_quotas=True) == Part(EVERYTHING.high // 2, EVERYTHING.high)
    assert applied(board) == EVERYTHING.size


def test_a_newcomer_does_not_wait_for_ever() -> None:
    """Where nobody makes room it applies nothing: a quota is never exceeded for its sake."""
    board, one, two = Board(), NodeParts("one"), NodeParts("two")
    one.look(board, 0.0, has_quotas=True)
    assert two.look(board, 0.0, has_quotas=True) is None
    last = two.look(board, 3.0, has_quotas=True)
    assert last is not None
    assert last.size == 0


def test_the_part_of_the_dead_is_taken_and_given_back() -> None:
    """After a while, by who heard nothing; whoever was thought dead and is not gets its part again."""
    board, one, two = Board(), NodeParts("one"), NodeParts("two")
    for at in (0.0, 0.1, 0.2):
        one.look(board, at, has_quotas=True)
        two.look(board, at, has_quotas=True)
    for at in range(1, int(DEAD_S)):
        assert one.look(board, float(at), has_quotas=True) != EVERYTHING
    assert one.look(board, DEAD_S + 1.0, has_quotas=True) == EVERYTHING
    for at in (20.0, 20.1, 20.2):
        two.look(board, at, has_quotas=True)
        one.look(board, at, has_quotas=True)
    assert {each.part.size for each in board.nodes()} == {EVERYTHING.size // 2}


def test_without_quotas_nothing_is_written() -> None:
    """And who had a part leaves it to the others."""
    board, one = Board(), NodeParts("one")
    for at in range(10):
        assert one.look(board, float(at), has_quotas=False) == EVERYTHING
    assert board.writes == 0
    for at in range(10):
        one.look(board, at / 4, has_quotas=True)
    assert board.writes <= 3
    one.look(board, 3.0, has_quotas=False)
    assert board.rows == {}


def test_a_run_folder_keeps_its_id(tmp_path: Path) -> None:
    """So that a gateway that was killed takes its own part again."""
    made = node_of(tmp_path / "run")
    assert len(made) == 16
    assert node_of(tmp_path / "run") == made
    assert node_of(tmp_path / "other") != made


def test_two_tills_tell_quotas_that_add_up(tmp_path: Path) -> None:
    """What each tells its workers changes as the other comes and ends."""
    place = Place(tmp_path)
    store = stores.open_accounts(place.url)
    turn = Turn(local_actor("tests"), time.time())
    tenants.create_tenant(store, turn, "default")
    limits.set_quota(store, turn, Scope(tenant="default"), Rates(requests_per_min=101, concurrency=1))
    store.close()
    tills = [StoreTill(place.url, place.turns, place.charger, name) for name in ("one", "two")]
    told: list[tuple[int | None, int | None]] = [(None, None), (None, None)]
    for _ in range(3):
        for number, till in enumerate(tills):
            news = till.news()
            if news is not None:
                (quota,) = news.quotas
                told[number] = quota.requests_per_min, quota.concurrency
    assert sorted(told) == [(50, 0), (51, 1)]
    assert [till.news() for till in tills] == [None, None]
    tills[0].close()
    news = tills[1].news()
    assert news is not None
    assert (news.quotas[0].requests_per_min, news.quotas[0].concurrency) == (101, 1)
    tills[1].close()
