"""The clock on the wall is put right, or the machine wakes: what goes by it goes by the right one at once."""

from __future__ import annotations

from tests.factories.budgeting import Rows, accounts, budget
from tests.factories.exchanging import Desk, answer
from tests.factories.serving import candidate, route, table, target

from tripoint.domain.tenancy import ApiKey, Tenant
from tripoint.engines.gateway.entry.keyring import Register
from tripoint.engines.gateway.exchange.effects import Attempt
from tripoint.engines.gateway.exchange.exchange import Exchange
from tripoint.engines.governance.access.keys import KeyKind, key_digest, make_key
from tripoint.engines.governance.budget.book import Book

PEPPER = b"p" * 32
MADE = make_key(KeyKind.GATEWAY, b"c" * 38)
DAY_S = 86_400.0


def desk(*, expires_at: float | None = None, limit: int = 0) -> tuple[Desk, Rows, Book]:
    """A gateway whose only key ends then, with a daily budget where there is one, and what its ledger goes by."""
    made = Desk(table([target("a", slot=0)], [route(candidate(0, share=1.0))]))
    made.headers = {b"authorization": b"Bearer " + MADE.text.encode()}
    key = ApiKey(
        id=MADE.id, digest=key_digest(PEPPER, MADE.text), tenant="acme", name="", created_at=0.0, expires_at=expires_at
    )
    budgets = [budget(limit=limit)] if limit else []
    found = accounts(*budgets, keys=(key,), tenants=(Tenant(id="acme", name="", created_at=0.0),))
    made.gateway.register(Register(found, PEPPER))
    return made, Rows(), Book(found)


def served(made: Desk) -> None:
    """One request from its beginning to its record."""
    exchange, world = made.open()
    finish(made, exchange, world.last)


def finish(made: Desk, exchange: Exchange, attempt: Attempt) -> None:
    """Its upstream answers."""
    exchange.on_answer(attempt, 200, b"application/json", b"", answer(), made.now)


def test_records_are_dated_by_the_clock_as_it_is() -> None:
    """One that began before is dated by the same clock as its end."""
    made, _, _ = desk()
    served(made)
    exchange, world = made.open()
    made.gateway.set_clock(made.gateway.epoch + DAY_S)
    finish(made, exchange, world.last)
    assert [record.at for record in made.records] == [1e9 + 100.0, 1e9 + 100.0 + DAY_S]


def test_a_key_that_ended_in_the_night_is_refused_in_the_morning() -> None:
    """What was read of a head before is not believed any more: its generation tells."""
    made, _, _ = desk(expires_at=1e9 + 3_600.0)
    served(made)
    said = made.gateway.said(made.headers)
    made.gateway.set_clock(made.gateway.epoch + DAY_S)
    assert said.generation != made.gateway.generation
    exchange, world = made.ask({"model": "chat", "messages": []})
    assert exchange is None
    assert (world.status, world.document["error"]["code"]) == (401, "invalid_api_key")
    made.gateway.set_clock(made.gateway.epoch - DAY_S)
    served(made)


def test_a_daily_budget_begins_anew_on_the_new_day() -> None:
    """Spent to its end, and asked for again under the window of the day it is now."""
    made, rows, book = desk(limit=200_000)

    def ledger() -> set[str]:
        purse, at = made.gateway.admission.purse, made.now + made.gateway.epoch
        wishes = purse.wishes(at)
        made.gateway.admission.granted([book.answer(rows, "w", wish).grant for wish in wishes], made.now)
        return {account.window for account in purse.all()}

    exchange, _ = made.open(max_tokens=10)
    first = ledger()
    made.now += 0.02
    exchange.on_timer(made.now)
    assert made.gateway.admission.waiting == 0
    made.gateway.set_clock(made.gateway.epoch + DAY_S)
    made.open(max_tokens=10)
    assert len(ledger() - first) == 1
