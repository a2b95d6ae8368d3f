"""Quotas are taken and money is reserved before a request is sent; every refusal tells both numbers."""

from __future__ import annotations

import gc
import json
from dataclasses import replace
from typing import Any

import pytest
from tests.factories.budgeting import Rows, accounts, budget
from tests.factories.exchanging import DOCUMENT, EVENTS, Desk, World, answer, piece, usage_event
from tests.factories.serving import candidate, route, table, target

from tripoint.domain.budget import Grant
from tripoint.domain.record import Failure
from tripoint.domain.serving import Api, Dialect, Hedging
from tripoint.domain.table import KeyEntry, RoutingTable
from tripoint.domain.tenancy import Accounts, Budget, Quota, Scope, Tenant
from tripoint.engines.gateway.entry.admission import WAIT_S
from tripoint.engines.gateway.entry.ceiling import LEAST_LIMIT, TEMPLATE_TOKENS, Ceiling
from tripoint.engines.gateway.entry.keyring import Register
from tripoint.engines.gateway.exchange.exchange import Exchange
from tripoint.engines.gateway.wire.ask import read_ask
from tripoint.engines.gateway.wire.output import limit_output, output_limit
from tripoint.engines.governance.budget.book import Book
from tripoint.engines.governance.budget.shares import WHOLE, Part, quotas_in

KEY = {b"authorization": b"Bearer sk-acme"}
OTHER = {b"authorization": b"Bearer sk-other"}
NANO_IN, NANO_OUT = 1000, 2000
"""Prices of the table's dearest upstream: a dollar a million tokens in, two out."""
PLENTY = 10**9


class Shop:
    """A desk with accounts, and a ledger that answers when the test says so."""

    def __init__(self, *budgets: Budget, quotas: tuple[Quota, ...] = (), served: RoutingTable | None = None) -> None:
        self.desk = Desk(served or two(), {"env:ACME": "sk-acme", "env:OTHER": "sk-other"})
        self.accounts = accounts(*budgets, quotas=quotas)
        self.rows = Rows()
        self.register(self.accounts)

    def register(self, found: Accounts) -> None:
        """Other accounts."""
        self.accounts = found
        self.book = Book(found)
        self.desk.gateway.register(Register(found, b"pepper"))

    def ledger(self) -> list[Grant]:
        """What the worker wishes is answered, and told."""
        gateway = self.desk.gateway
        at = self.desk.now + gateway.epoch
        grants = [self.book.answer(self.rows, "w", wish).grant for wish in gateway.admission.purse.wishes(at)]
        gateway.admission.granted(grants, self.desk.now)
        return grants

    def ask(self, headers: dict[bytes, bytes] | None = None, **fields: Any) -> tuple[Exchange, World]:
        """A chat of the tenant."""
        body = {"model": "chat", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 10, **fields}
        exchange, world = self.desk.ask(body, headers=headers or KEY)
        assert exchange is not None
        return exchange, world

    def served(self, exchange: Exchange, world: World, tokens_in: int = 5, tokens_out: int = 3) -> None:
        """The upstream answers."""
        attempt = world.last
        exchange.on_head(attempt, 200, DOCUMENT, b"", self.desk.now)
        exchange.on_data(attempt, answer(tokens_in, tokens_out), self.desk.now)
        exchange.on_end(attempt, self.desk.now)

    def wake(self, exchange: Exchange, after_s: float = 0.0) -> None:
        """Time passes, and whoever is due is woken."""
        self.desk.now += after_s
        exchange.on_timer(self.desk.now)

    @property
    def account(self) -> Any:
        """The only account."""
        (found,) = self.desk.gateway.admission.purse.all()
        return found


def two(**fields: Any) -> RoutingTable:
    """Two upstreams, one cheaper, and the keys of two tenants."""
    keys = tuple(
        KeyEntry(id=name, tenant=name, secret=f"env:{name.upper()}", workloads=(), sites=None)
        for name in ("acme", "other")
    )
    routes = [route(candidate(0, usd=0.5), candidate(1, usd=1.0))]
    return table([target("a", slot=0), target("b", slot=1)], routes, keys=keys, **fields)


def bound(body: dict[str, Any] | None = None, tokens_out: int = 10) -> int:
    """The most such a chat can cost: by its bytes, its limit and the dearer upstream."""
    asked = body or {"model": "chat", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 10}
    size = len(json.dumps(asked).encode())
    return (size + TEMPLATE_TOKENS) * NANO_IN + tokens_out * NANO_OUT + 1


def refusal(world: World) -> tuple[int, str, str]:
    """Status, code and words."""
    fault = world.document["error"]
    return world.status, fault["code"], fault["message"]


def test_what_has_ended_is_gone_at_once() -> None:
    """A request and what it holds never wait for the collector, which would have to look through all of them."""

    def serve() -> None:
        exchange, world = shop.ask()
        shop.served(exchange, world)
        assert world.status == 200
        world.dialled.clear()  # kept by tests only

    shop = Shop(budget(limit=PLENTY), quotas=(Quota(id="q", scope=Scope(tenant="acme"), concurrency=10),))
    exchange, _ = shop.ask()
    shop.ledger()
    shop.wake(exchange)
    gc.collect()
    before = sum(isinstance(each, Exchange) for each in gc.get_objects())
    gc.disable()
    try:
        serve()
        assert sum(isinstance(each, Exchange) for each in gc.get_objects()) == before
    finally:
        gc.enable()


def test_a_request_waits_for_its_first_slice_and_is_settled_exactly() -> None:
    """Nothing is sent before it is reserved; what was not used can be had by the next."""
    shop = Shop(budget(limit=PLENTY))
    exchange, world = shop.ask()
    assert world.dialled == []
    shop.wake(exchange)
    assert world.dialled == []
    shop.ledger()
    shop.wake(exchange, 0.02)
    assert len(world.dialled) == 1
    assert shop.account.reserved == bound()
    shop.served(exchange, world)
    cost = shop.desk.records[0].nano
    assert cost == 5 * 500 + 3 * 1000
    assert (shop.account.reserved, shop.account.used) == (0, cost)
    assert shop.account.free == shop.account.granted - cost
    _, second = shop.ask()
    assert len(second.dialled) == 1  # without asking anybody


def test_slices_of_all_budgets_are_asked_for_at_once() -> None:
    """One word from the ledger is enough, however many budgets a request falls under and however many wait."""
    shop = Shop(*(budget(id, PLENTY, **scope) for id, scope in (("a", {}), ("b", {"key": "acme"}), ("c", {}))))
    waiting = [shop.ask() for _ in range(9)]
    shop.ledger()
    while shop.ledger():  # who waited for one budget waits for the next, and asks without being looked at
        pass
    for exchange, _ in waiting:
        shop.wake(exchange, 0.001)
    assert [len(world.dialled) for _, world in waiting] == [1] * 9


def test_the_first_request_under_several_budgets_waits_for_one_answer() -> None:
    """All it lacks is in one message."""
    shop = Shop(*(budget(id, PLENTY) for id in ("a", "b", "c")))
    exchange, world = shop.ask()
    assert [grant.budget for grant in shop.ledger()] == ["a", "b", "c"]
    shop.wake(exchange, 0.001)
    assert len(world.dialled) == 1


def test_slices_that_come_after_a_pause_stay_until_the_others_have_come() -> None:
    """A request under three budgets goes on also where the ledger answers for one after the other, slowly."""
    shop = Shop(*(budget(id, PLENTY) for id in ("a", "b", "c")))
    exchange, world = shop.ask()
    shop.ledger()
    shop.wake(exchange, 0.001)
    shop.served(exchange, world)
    purse, gateway = shop.desk.gateway.admission.purse, shop.desk.gateway
    for _ in range(30):
        shop.desk.now += 0.25
        purse.look(shop.desk.now + gateway.epoch)
        shop.ledger()
    assert [account.free for account in purse.all()] == [0, 0, 0]
    exchange, world = shop.ask()
    for _ in range(4):
        shop.desk.now += 0.25
        at = shop.desk.now + gateway.epoch
        purse.look(at)
        for grant in [shop.book.answer(shop.rows, "w", wish).grant for wish in purse.wishes(at)]:
            gateway.admission.granted([grant], shop.desk.now)
        shop.wake(exchange)
    assert len(world.dialled) == 1


def test_what_is_more_than_is_left_is_refused_at_once_with_both_numbers() -> None:
    """Also a worker that has never asked knows the limit."""
    shop = Shop(budget(limit=5000))
    _, world = shop.ask()
    status, code, words = refusal(world)
    assert (status, code) == (429, "insufficient_quota")
    assert "`acme-day`" in words
    assert "its limit is 0.000005 USD this day; up to" in words
    assert "spent" not in words  # nobody has told this worker
    assert f"{bound() / 1e9:.9f} USD".lstrip() in words
    assert b"retry-after: " in world.head
    assert shop.desk.records[0].error == "insufficient_quota"
    assert shop.desk.records[0].nano == 0


def test_a_refusal_says_what_is_spent_once_the_ledger_has_told() -> None:
    """The number is the ledger's, never a nought nobody has counted."""
    shop = Shop(budget(limit=5000))
    shop.ask()
    told = Grant("acme-day", shop.account.window, 0, 0, 5000, 234)
    shop.desk.gateway.admission.granted([told], shop.desk.now)
    _, world = shop.ask()
    assert "0.000000234 USD of 0.000005 USD are spent this day" in refusal(world)[2]


def test_who_waits_in_vain_hears_it_after_a_while() -> None:
    """Money is left of the budget, but others hold it."""
    shop = Shop(budget(limit=bound() + 5))
    first, world = shop.ask()
    shop.ledger()
    shop.wake(first)
    assert world.dialled
    second, waiting = shop.ask()
    shop.ledger()
    shop.wake(second, WAIT_S / 2)
    assert not waiting.ending
    shop.wake(second, WAIT_S / 2)
    status, code, words = refusal(waiting)
    assert (status, code) == (429, "rate_limit_exceeded")
    assert "reserved by requests under way" in words
    assert shop.account.waiting == 0


def test_money_that_comes_after_the_deadline_begins_nothing() -> None:
    """The worker stood still meanwhile: its caller has given up, and an attempt would be paid for nobody."""
    shop = Shop(budget(limit=PLENTY), served=two(deadline_s=3.0))
    exchange, world = shop.ask()
    shop.ledger()
    shop.wake(exchange, 3.0)
    assert refusal(world)[:2] == (504, "deadline_exceeded")
    assert world.dialled == []
    assert shop.account.reserved == 0


def test_what_others_settle_lets_those_go_on_who_wait_in_order() -> None:
    """First come, first served."""
    shop = Shop(budget(limit=2 * bound() + 10_000))
    first, world = shop.ask()
    shop.ledger()
    shop.wake(first)
    shop.ledger()
    others = [shop.ask() for _ in range(3)]
    shop.ledger()
    for exchange, _ in others:
        shop.wake(exchange)
    assert [bool(each.dialled) for _, each in others] == [True, False, False]
    shop.served(first, world)
    shop.ledger()
    for exchange, _ in others:
        shop.wake(exchange)
    assert [bool(each.dialled) for _, each in others] == [True, True, False]


def test_who_hangs_up_while_waiting_waits_no_more() -> None:
    """And keeps nobody behind from going on."""
    shop = Shop(budget(limit=PLENTY))
    first, _ = shop.ask()
    second, world = shop.ask()
    first.on_client_gone(shop.desk.now)
    assert shop.account.waiting == bound()
    shop.ledger()
    shop.wake(second)
    assert world.dialled


def test_without_a_ledger_only_what_is_leased_is_spent() -> None:
    """An enforced budget fails closed; a tenant without one goes on."""
    shop = Shop(budget(limit=PLENTY))
    shop.desk.gateway.admission.is_connected = False
    exchange, world = shop.ask()
    shop.wake(exchange, WAIT_S)
    assert refusal(world)[:2] == (503, "budget_unavailable")
    _, free = shop.ask(headers=OTHER)
    assert free.dialled


def test_a_caller_without_a_limit_gets_one() -> None:
    """Generous for the workload; what is sent on carries it, and the reservation counts it."""
    shop = Shop(budget(limit=PLENTY))
    exchange, world = shop.ask(max_tokens=None)
    shop.ledger()
    shop.wake(exchange)
    sent = json.loads(world.last.body)
    assert sent["max_tokens"] == LEAST_LIMIT
    body = {"model": "chat", "messages": [{"role": "user", "content": "hi"}], "max_tokens": None}
    assert shop.account.reserved == bound(body, LEAST_LIMIT)


@pytest.mark.parametrize(
    ("dialect", "host", "name"),
    [
        (Dialect.OPENAI, "127.0.0.1", "max_tokens"),
        (Dialect.OPENAI, "api.openai.com", "max_completion_tokens"),
        (Dialect.AZURE, "x.example", "max_completion_tokens"),
    ],
)
def test_a_limit_is_spelt_as_the_upstream_wants_it(dialect: Dialect, host: str, name: str) -> None:
    """Newer models refuse the old name, other servers may not know the new one."""
    served = two()
    place = target("a", slot=0, dialect=dialect, host=host)
    shop = Shop(budget(limit=PLENTY), served=table([place], [route(candidate(0))], keys=served.keys))
    exchange, world = shop.ask(max_tokens=None)
    shop.ledger()
    shop.wake(exchange)
    sent = json.loads(world.last.body)
    assert {key for key in sent if key.startswith("max_")} - {"max_tokens"} == {name} - {"max_tokens"}
    assert sent[name] == LEAST_LIMIT


def test_a_limit_goes_through_a_translation() -> None:
    """The upstream speaks messages, the caller chat."""
    served = two()
    place = target("a", slot=0, dialect=Dialect.ANTHROPIC, apis=(Api.MESSAGES,))
    shop = Shop(budget(limit=PLENTY), served=table([place], [route(candidate(0))], keys=served.keys))
    exchange, world = shop.ask(max_tokens=None)
    shop.ledger()
    shop.wake(exchange)
    assert json.loads(world.last.body)["max_tokens"] == LEAST_LIMIT


def test_tenants_without_budgets_are_sent_on_as_they_are() -> None:
    """Nothing is waited for and nothing is added."""
    shop = Shop(budget(limit=PLENTY))
    exchange, world = shop.ask(headers=OTHER, max_tokens=None)
    assert exchange.stay is None
    assert json.loads(world.last.body)["max_tokens"] is None
    _, refused = shop.ask(headers=KEY, max_tokens=10**7)
    assert "other" not in refused.body.decode()


def test_a_budget_that_only_warns_holds_nobody_back() -> None:
    """It is for the ledger to count."""
    shop = Shop(budget(limit=1, is_enforced=False))
    _, world = shop.ask()
    assert world.dialled


def test_a_hedge_is_made_only_where_it_is_paid_for() -> None:
    """Two attempts may be billed: twice the bound must be reserved."""
    body = {"model": "chat", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 10, "stream": True}
    for limit, dials in ((2 * bound(body) - 1, 1), (PLENTY, 2)):
        shop = Shop(budget(limit=limit), served=two(hedging=Hedging(quantile=0.5, max_share=1.0)))
        for _ in range(30):  # what is usual must be known
            exchange, world = shop.ask(headers=OTHER, stream=True)
            attempt = world.last
            shop.desk.now += 0.1
            exchange.on_head(attempt, 200, EVENTS, b"", shop.desk.now)
            exchange.on_data(attempt, piece("word") + usage_event(3, 1) + b"data: [DONE]\n\n", shop.desk.now)
            exchange.on_end(attempt, shop.desk.now)
            shop.desk.gateway.tick(shop.desk.now)
        exchange, world = shop.ask(stream=True)
        shop.ledger()
        shop.wake(exchange)
        shop.ledger()
        shop.wake(exchange, 2.0)
        assert len(world.dialled) == dials
        exchange.on_client_gone(shop.desk.now)
        assert shop.account.reserved == 0


def test_failing_over_needs_no_more_than_was_reserved() -> None:
    """An attempt that never answered is not billed."""
    shop = Shop(budget(limit=bound()))
    exchange, world = shop.ask()
    shop.ledger()
    shop.wake(exchange)
    exchange.on_lost(world.last, Failure.CONNECT, shop.desk.now)
    assert len(world.dialled) == 2
    shop.served(exchange, world)
    assert shop.account.used == shop.desk.records[-1].nano


@pytest.mark.parametrize(("limit", "held", "dials"), [(bound(), 0, 1), (PLENTY, 0, 2), (bound(), 10**9, 2)])
def test_asking_elsewhere_for_a_late_first_byte_is_paid_for(limit: int, held: int, dials: int) -> None:
    """A token API bills the late attempt as well: both are reserved. Nodes paid by the hour ask nothing more."""
    made = two(first_byte_s=1.0, retry_share=1.0)
    targets = [replace(each, held_nano_per_hour=held) for each in made.targets]
    shop = Shop(budget(limit=limit), served=replace(made, targets=tuple(targets)))
    exchange, world = shop.ask()
    shop.ledger()
    shop.wake(exchange)
    world.last.sent_at = shop.desk.now
    shop.wake(exchange, 1.0)
    assert len(world.dialled) == dials
    if dials == 2:
        most = (bound() - 10 * NANO_OUT - 1) // NANO_IN
        shop.served(exchange, world, tokens_in=most, tokens_out=10)
    record = shop.desk.records[-1]
    assert [bill.upstream for bill in record.billed] == ([] if held else ["a"])
    assert shop.account.used == record.nano
    assert shop.account.overdrawn == 0


def short_of_money(asked: dict[str, Any] | None = None, **fields: Any) -> tuple[Shop, Exchange, World]:
    """A request under way whose worker has leased what it holds and nothing beyond; the budget has plenty."""
    made = two(first_byte_s=1.0, retry_share=1.0, deadline_s=20.0)
    shop = Shop(budget(limit=PLENTY), served=replace(made, **fields))
    exchange, world = shop.ask(**asked or {})
    shop.ledger()
    shop.wake(exchange)
    while shop.account.free >= bound():  # others use the rest of the slice
        shop.ask()
    world.last.sent_at = shop.desk.now
    return shop, exchange, world


def test_a_late_first_byte_waits_for_the_money_to_ask_elsewhere() -> None:
    """The slice is used up, the budget is not: a grant some milliseconds away is waited for, and then it goes on."""
    shop, exchange, world = short_of_money()
    shop.wake(exchange, 1.0)
    assert (len(world.dialled), world.ending) == (1, "")
    assert shop.account.waiting == bound()
    shop.ledger()
    shop.wake(exchange, 0.02)
    assert [attempt.target.id for attempt in world.dialled] == ["a", "b"]
    assert world.dropped == [world.dialled[0]]
    shop.served(exchange, world)
    assert world.status == 200
    assert shop.desk.gateway.admission.waiting == shop.account.waiting == 0


def test_a_late_answer_that_comes_while_money_is_waited_for_is_taken() -> None:
    """What is waited for is given up with it, and held up nobody behind it."""
    shop, exchange, world = short_of_money()
    shop.wake(exchange, 1.0)
    other, behind = shop.ask()
    shop.served(exchange, world)
    assert (world.status, world.dropped, len(world.dialled)) == (200, [], 1)
    assert shop.account.waiting == bound()
    shop.ledger()
    shop.wake(other, 0.02)
    assert len(behind.dialled) == 1
    assert shop.desk.gateway.admission.waiting == 0


def test_money_that_does_not_come_ends_a_late_attempt_within_the_wait() -> None:
    """Five seconds are waited for the ledger, once; then it is as where there is nobody else."""
    shop, exchange, world = short_of_money()
    shop.wake(exchange, 1.0)
    shop.wake(exchange, WAIT_S - 0.1)
    assert not world.ending
    shop.wake(exchange, 0.1)
    assert refusal(world)[:2] == (504, "upstream_timeout")
    assert len(world.dialled) == 1
    assert shop.account.waiting == 0


def test_waiting_for_money_ends_with_the_deadline() -> None:
    """No attempt begins after it, though the money has come."""
    shop, exchange, world = short_of_money(deadline_s=3.0)
    shop.wake(exchange, 1.0)
    assert exchange.due == exchange.deadline
    shop.ledger()
    shop.wake(exchange, 2.0)
    assert refusal(world)[:2] == (504, "deadline_exceeded")
    assert len(world.dialled) == 1


def lost_in_the_middle(shop: Shop, exchange: Exchange, world: World) -> None:
    """An answer in one piece breaks off: what had come is billed, nothing of it was passed on."""
    attempt = world.last
    exchange.on_head(attempt, 200, DOCUMENT, b"", shop.desk.now)
    exchange.on_data(attempt, answer()[:-20], shop.desk.now)
    exchange.on_lost(attempt, Failure.LOST, shop.desk.now)


def test_failing_over_from_a_billed_attempt_waits_for_its_money() -> None:
    """It was begun and is billed, so another one needs more than was reserved: that is had first."""
    shop, exchange, world = short_of_money()
    lost_in_the_middle(shop, exchange, world)
    assert (len(world.dialled), world.ending) == (1, "")
    shop.ledger()
    shop.wake(exchange, 0.02)
    assert [attempt.target.id for attempt in world.dialled] == ["a", "b"]
    shop.served(exchange, world)
    assert world.status == 200
    assert shop.account.used == shop.desk.records[-1].nano


def test_a_cut_stream_waits_for_the_money_to_go_on_elsewhere() -> None:
    """It is greedy and its upstreams are declared reproducible: what is missing is a grant some milliseconds away."""
    fields: dict[str, Any] = {"stream": True, "temperature": 0}
    targets = tuple(target(name, slot=slot, is_reproducible=True) for slot, name in enumerate("ab"))
    shop, exchange, world = short_of_money(targets=targets, asked=fields)
    attempt = world.last
    exchange.on_head(attempt, 200, EVENTS, b"", shop.desk.now)
    exchange.on_data(attempt, piece("one "), shop.desk.now)
    exchange.on_lost(attempt, Failure.RESET, shop.desk.now)
    assert (len(world.dialled), world.ending) == (1, "")
    shop.ledger()
    shop.wake(exchange, 0.02)
    exchange.on_head(world.last, 200, EVENTS, b"", shop.desk.now)
    exchange.on_data(world.last, piece("one ") + piece("two") + b"data: [DONE]\n\n", shop.desk.now)
    exchange.on_end(world.last, shop.desk.now)
    assert world.body == piece("one ") + piece("two") + b"data: [DONE]\n\n"
    assert [row.reason for row in shop.desk.records[-1].attempts] == ["cheapest", "resume"]


def test_failing_over_is_in_vain_where_the_budget_has_no_more() -> None:
    """Nobody waits for what can never come: the caller is told how its attempt failed."""
    shop = Shop(budget(limit=bound()), served=two(retry_share=1.0))
    exchange, world = shop.ask()
    shop.ledger()
    shop.wake(exchange)
    lost_in_the_middle(shop, exchange, world)
    assert refusal(world)[:2] == (502, "upstream_failed")
    assert shop.account.waiting == 0


def test_who_hangs_up_while_a_further_attempt_waits_waits_no_more() -> None:
    """Neither the queue nor the reservation remembers it."""
    shop, exchange, world = short_of_money()
    lost_in_the_middle(shop, exchange, world)
    reserved = shop.account.reserved
    exchange.on_client_gone(shop.desk.now)
    assert shop.desk.gateway.admission.waiting == shop.account.waiting == 0
    assert shop.account.reserved == reserved - bound()


def test_what_is_reserved_pays_for_a_cheaper_place_at_once() -> None:
    """The dearest bounds what is reserved: where the cheap one is left, that covers it beside what is billed."""
    routes = [route(candidate(0, usd=1.0, share=1.0), candidate(1, usd=0.1))]
    shop, exchange, world = short_of_money(routes=tuple(routes))
    lost_in_the_middle(shop, exchange, world)
    assert [attempt.target.id for attempt in world.dialled] == ["a", "b"]


def test_a_further_attempt_is_served_before_those_who_have_not_entered() -> None:
    """It came before them; a small slice goes to it first."""
    shop, exchange, world = short_of_money()
    other, behind = shop.ask()
    lost_in_the_middle(shop, exchange, world)
    shop.account.largest = 0
    shop.desk.gateway.admission.granted([first_grant(shop, bound())], shop.desk.now)
    shop.wake(other, 0.02)
    shop.wake(exchange)
    assert (len(world.dialled), len(behind.dialled)) == (2, 0)


def first_grant(shop: Shop, more: int) -> Grant:
    """A grant of just so much more."""
    account = shop.account
    granted = account.granted + more - account.free
    return Grant(account.budget.id, account.window, granted, account.returned, account.limit, 0)


def test_more_than_the_bound_is_settled_exactly_and_counted() -> None:
    """An upstream that reports more than can be is believed, and somebody is told."""
    shop = Shop(budget(limit=PLENTY))
    exchange, world = shop.ask()
    shop.ledger()
    shop.wake(exchange)
    shop.served(exchange, world, tokens_in=10**6)
    cost = shop.desk.records[-1].nano
    assert cost > bound()
    assert shop.account.used == cost
    assert shop.account.overdrawn == cost - bound()


def quota(**rates: Any) -> Quota:
    """A quota of the tenant."""
    return Quota(id="acme.rates", scope=Scope(tenant="acme"), **rates)


def test_requests_a_minute() -> None:
    """A minute's worth at once, then evenly; refusals say when the next is possible."""
    shop = Shop(quotas=(quota(requests_per_min=3),))
    assert [bool(shop.ask()[1].dialled) for _ in range(4)] == [True, True, True, False]
    _, world = shop.ask()
    status, code, words = refusal(world)
    assert (status, code) == (429, "rate_limit_exceeded")
    assert "`acme.rates` allows 3 requests a minute" in words
    assert b"retry-after: 20\r\n" in world.head
    shop.desk.now += 20.0
    assert [bool(shop.ask()[1].dialled) for _ in range(2)] == [True, False]
    assert shop.ask(headers=OTHER)[1].dialled


@pytest.mark.parametrize(
    ("rates", "asked", "words"),
    [
        ({"requests_per_min": 1}, 1, "`acme.rates` allows 1 request a minute, none through this gateway: others share"),
        ({"requests_per_min": 0}, 1, "`acme.rates` allows no requests"),
        (
            {"requests_per_min": 4},
            3,
            "`acme.rates` allows 4 requests a minute, 2 of them through this gateway, and the",
        ),
        ({"tokens_per_min": 1}, 1, "`acme.rates` allows 1 token a minute, none through this gateway: others share"),
        ({"tokens_per_min": 0}, 1, "`acme.rates` allows no tokens"),
        ({"tokens_per_min": 60}, 2, "`acme.rates` allows 60 tokens a minute, 30 of them through this gateway, and the"),
        ({"concurrency": 1}, 1, "`acme.rates` allows 1 request at once, none through this gateway: others share"),
        ({"concurrency": 0}, 1, "`acme.rates` allows no requests at once"),
        (
            {"concurrency": 2},
            2,
            "`acme.rates` allows 2 requests at once, 1 of them through this gateway, and that many",
        ),
    ],
)
def test_who_has_a_part_of_a_quota_tells_the_whole(rates: dict[str, int], asked: int, words: str) -> None:
    """A caller at one of two gateways is not told that he may do nothing, where elsewhere he may."""
    shop = Shop(quotas=quotas_in([quota(**rates)], Part(0, WHOLE // 2)))
    for _ in range(asked):
        _, world = shop.ask()
    status, code, said = refusal(world)
    assert (status, code) == (429, "rate_limit_exceeded")
    assert words in said


def test_one_request_is_told_as_one() -> None:
    """Whoever is alone on a store has the whole."""
    shop = Shop(quotas=(quota(requests_per_min=1, concurrency=1),))
    shop.ask()
    assert "allows 1 request a minute, and the next one is possible in" in refusal(shop.ask()[1])[2]
    shop.desk.now += 60.0
    assert "allows 1 request at once, and that many are under way" in refusal(shop.ask()[1])[2]


@pytest.mark.parametrize(("since", "told"), [(0.0, "20.0 s"), (19.94, "0.1 s"), (19.9999, "0.1 s"), (4.95, "15.1 s")])
def test_the_next_request_is_never_told_to_be_possible_now(since: float, told: str) -> None:
    """What is left of the wait is rounded up: whoever comes at that time is let in."""
    shop = Shop(quotas=(quota(requests_per_min=3),))
    for _ in range(3):
        shop.ask()
    shop.desk.now += since
    assert f"the next one is possible in {told}" in refusal(shop.ask()[1])[2]


def test_tokens_a_minute_are_reserved_and_corrected() -> None:
    """What was estimated too high is given back, what was too low is owed."""
    shop = Shop(quotas=(quota(tokens_per_min=600),))
    first, world = shop.ask(max_tokens=580)
    assert world.dialled
    _, refused = shop.ask()
    assert "allows 600 tokens a minute" in refusal(refused)[2]
    shop.served(first, world, 5, 5)
    second, world = shop.ask()
    assert world.dialled
    shop.served(second, world, 1000, 0)
    assert refusal(shop.ask()[1])[1] == "rate_limit_exceeded"
    shop.desk.now += 60.0
    assert shop.ask()[1].dialled


def test_requests_at_once() -> None:
    """A place is free again when its request has ended, however it did."""
    shop = Shop(quotas=(quota(concurrency=1),))
    first, world = shop.ask()
    assert refusal(shop.ask()[1])[2].startswith("quota `acme.rates` allows 1 request at once")
    shop.served(first, world)
    second, _ = shop.ask()
    second.on_client_gone(shop.desk.now)
    assert shop.ask()[1].dialled


def test_what_a_budget_refuses_uses_up_no_quota() -> None:
    """Only what entered counts."""
    shop = Shop(budget(limit=1), quotas=(quota(requests_per_min=1, tokens_per_min=100, concurrency=1),))
    assert refusal(shop.ask()[1])[1] == "insufficient_quota"
    shop.register(accounts(quotas=shop.accounts.quotas, revision=2))
    assert shop.ask()[1].dialled


def test_new_accounts_apply_to_the_next_request_and_leave_those_under_way_alone() -> None:
    """A limit is raised while somebody waits; a tenant is suspended while its request runs."""
    shop = Shop(budget(limit=5000))
    assert refusal(shop.ask()[1])[1] == "insufficient_quota"
    shop.register(accounts(budget(limit=PLENTY), revision=2))
    exchange, world = shop.ask()
    shop.ledger()
    shop.wake(exchange)
    assert world.dialled
    gone = Tenant(id="acme", name="acme", created_at=0.0, is_suspended=True)
    shop.register(accounts(budget(limit=PLENTY), revision=3, tenants=(gone,)))
    shop.served(exchange, world)
    assert world.status == 200
    refused, told = shop.desk.ask({"model": "chat", "messages": []}, headers=KEY)
    assert refused is None
    assert refusal(told)[:2] == (403, "tenant_suspended")


def test_a_public_gateway_lets_nobody_in_without_a_key() -> None:
    """Whatever the store says later."""
    desk = Desk(table([target("a")], [route(candidate(0))]))
    before = desk.gateway.is_open
    desk.gateway.guard()
    assert (before, desk.gateway.is_open) == (True, False)
    refused, world = desk.ask({"model": "chat", "messages": []})
    assert refused is None
    assert world.status == 401
    assert desk.gateway.models({}, desk.now)[0] == 401
    desk.gateway.is_waiting = True
    assert desk.gateway.models({}, desk.now)[0] == 503


def test_a_key_that_ends_meanwhile_is_refused_under_the_same_head() -> None:
    """Heads are read once; the time is looked at with every request."""
    desk = Desk(two(), {"env:ACME": "sk-acme", "env:OTHER": "sk-other"})
    said = desk.gateway.said(KEY)
    said.until = desk.now + 1.0
    said.principal.until = said.until + desk.gateway.epoch
    body = b'{"model":"chat","messages":[]}'
    assert desk.gateway.open(Api.CHAT, said, body, World(), desk.now) is not None
    late = World()
    assert desk.gateway.open(Api.CHAT, said, body, late, desk.now + 1.0) is None
    assert refusal(late)[:2] == (401, "invalid_api_key")
    assert "`acme` ended" in refusal(late)[2]


def test_a_workload_that_goes_while_a_request_waits() -> None:
    """It is not sent anywhere."""
    shop = Shop(budget(limit=PLENTY))
    exchange, world = shop.ask()
    elsewhere = table([target("a")], [route(candidate(0), workload="other", model="m")], keys=two().keys)
    shop.desk.gateway.reload(elsewhere, {"env:ACME": "sk-acme", "env:OTHER": "sk-other"}, shop.desk.now)
    shop.ledger()
    shop.wake(exchange)
    assert world.dialled == []
    assert refusal(world)[:2] == (404, "model_not_found")
    assert shop.account.reserved == 0


@pytest.mark.parametrize(
    ("api", "body", "most"),
    [
        (
            Api.CHAT,
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            8_192,
        ),
        (Api.CHAT, {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]}, 262_144),
        (Api.RESPONSES, {"input": "hi", "previous_response_id": "r1"}, 262_144),
        (Api.MESSAGES, {"messages": [{"role": "user", "content": [{"type": "document"}]}]}, 262_144),
        (Api.EMBEDDINGS, {"input": "hi"}, 0),
    ],
)
def test_what_a_body_only_refers_to_is_bounded_as_well(api: Api, body: dict[str, Any], most: int) -> None:
    """Pictures by what they take, documents and conversations by a whole context; embeddings generate nothing."""
    asked = json.dumps({"model": "chat", **body}).encode()
    ask = read_ask(api, asked)
    ceiling = Ceiling(two().routes[0].candidates, 100)
    limit = 0 if api is Api.EMBEDDINGS else 50
    if limit:
        limit_output(ask, limit)
    assert ceiling.nano(ask) == (len(asked) + TEMPLATE_TOKENS + most) * NANO_IN + limit * NANO_OUT + 1


def test_of_two_spellings_of_a_limit_the_larger_bounds() -> None:
    """An upstream may go by either."""
    ask = read_ask(Api.CHAT, b'{"model":"chat","messages":[],"max_completion_tokens":5,"max_tokens":900}')
    assert output_limit(ask) == 900
    odd = read_ask(Api.CHAT, b'{"model":"chat","messages":[],"max_completion_tokens":5,"max_tokens":"many"}')
    assert output_limit(odd) == 5


def test_a_limit_that_is_set_leaves_room_in_a_known_context() -> None:
    """Tokens were only estimated, so half of what is left is kept clear."""
    ceiling = Ceiling([candidate(0, context_tokens=600), candidate(1, context_tokens=100_000)], 100)
    short = read_ask(Api.CHAT, b'{"model":"chat","messages":[]}')
    assert ceiling.limit(short) == (600 - short.tokens_in) // 2
    long = read_ask(Api.CHAT, b'{"model":"chat","messages":["%b"]}' % (b"x " * 2000))
    assert ceiling.limit(long) == LEAST_LIMIT
