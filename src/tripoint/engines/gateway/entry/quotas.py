"""How many requests and tokens a minute, and how many at once? Token buckets that all workers of a node share.

A bucket holds a minute's worth and fills evenly: so at most twice the rate passes in any one minute, and never more
than the rate over time. It is kept as the moment at which it will be full again (the generic cell rate algorithm), one
number that is moved forward by what is drawn; what is drawn in vain or turns out too much moves it back.
"""

from __future__ import annotations

from math import ceil
from typing import Final, NamedTuple

from tripoint.domain.tenancy import Quota, Scope

MINUTE_S: Final = 60.0
REQUESTS: Final = 0
TOKENS: Final = 1
"""The two buckets of a quota."""


class Rates:
    """Buckets and places of all quotas; `LocalRates` for one process, shared memory for several.

    A class rather than a protocol: compiled code finds its methods without looking for their names.
    """

    def slot(self, quota: str) -> int:
        """Where a quota is kept; the same for every worker."""
        raise AssertionError("whoever keeps them says how")

    def draw(self, slot: int, bucket: int, seconds: float, now: float) -> float:
        """Draws so many seconds' worth; 0 when it was there, else how long until it will be, and nothing is drawn."""
        raise AssertionError("whoever keeps them says how")

    def put_back(self, slot: int, bucket: int, seconds: float) -> None:
        """Gives back (or, negative, takes in addition) so many seconds' worth, whatever is there."""
        raise AssertionError("whoever keeps them says how")

    def enter(self, slot: int, limit: int) -> bool:
        """Takes one of `limit` places; False when all workers together hold that many."""
        raise AssertionError("whoever keeps them says how")

    def leave(self, slot: int) -> None:
        """Gives a place back."""
        raise AssertionError("whoever keeps them says how")

    def rest(self) -> None:
        """What was drawn ahead and is not spent goes back; to be called a few times a second."""
        raise AssertionError("whoever keeps them says how")


class LocalRates(Rates):
    """The rates of one process."""

    def __init__(self) -> None:
        self._slots: dict[str, int] = {}
        self._full_at: list[list[float]] = []
        self._held: list[int] = []

    def slot(self, quota: str) -> int:
        """See `Rates`."""
        if quota not in self._slots:
            self._slots[quota] = len(self._held)
            self._full_at.append([0.0, 0.0])
            self._held.append(0)
        return self._slots[quota]

    def draw(self, slot: int, bucket: int, seconds: float, now: float) -> float:
        """See `Rates`."""
        full_at, wait = drawn(self._full_at[slot][bucket], seconds, now)
        self._full_at[slot][bucket] = full_at
        return wait

    def put_back(self, slot: int, bucket: int, seconds: float) -> None:
        """See `Rates`."""
        self._full_at[slot][bucket] -= seconds

    def enter(self, slot: int, limit: int) -> bool:
        """See `Rates`."""
        if self._held[slot] >= limit:
            return False
        self._held[slot] += 1
        return True

    def leave(self, slot: int) -> None:
        """See `Rates`."""
        self._held[slot] -= 1

    def rest(self) -> None:
        """See `Rates`: nothing is drawn ahead."""


def drawn(full_at: float, seconds: float, now: float) -> tuple[float, float]:
    """When the bucket is full again after a draw, and how long to wait where there is too little in it."""
    after = max(full_at, now) + seconds
    wait = after - now - MINUTE_S
    return (full_at, wait) if wait > 1e-9 else (after, 0.0)


class Excess(NamedTuple):
    """Why a request is over a quota."""

    message: str
    """For the caller, with both numbers."""
    retry_after_s: float
    """When to ask again, s."""


class Rule:
    """A quota as it is applied."""

    __slots__ = ("concurrency", "is_closed", "per_request_s", "per_token_s", "quota", "slot", "tokens_per_min", "whole")

    def __init__(self, quota: Quota, slot: int) -> None:
        self.quota = quota
        self.whole = quota.part_of or quota
        """What callers are told of."""
        self.slot = slot
        self.per_request_s = MINUTE_S / quota.requests_per_min if quota.requests_per_min else 0.0
        self.per_token_s = MINUTE_S / quota.tokens_per_min if quota.tokens_per_min else 0.0
        self.tokens_per_min = quota.tokens_per_min or 0
        self.concurrency = -1 if quota.concurrency is None else quota.concurrency
        """Places; -1 where they are not limited."""
        self.is_closed = quota.requests_per_min == 0 or quota.tokens_per_min == 0
        """True where nothing may pass."""

    @property
    def scope(self) -> Scope:
        """Whose requests."""
        return self.quota.scope


class Taken:
    """What one request took of one quota."""

    __slots__ = ("rule", "tokens")

    def __init__(self, rule: Rule, tokens: int) -> None:
        self.rule = rule
        """The quota."""
        self.tokens = tokens
        """Tokens drawn ahead."""


def take(rates: Rates, rules: tuple[Rule, ...], tokens: int, now: float) -> list[Taken] | Excess:
    """Takes from every quota a request falls under, or from none."""
    done: list[Taken] = []
    for rule in rules:
        excess = _take(rates, rule, tokens, now)
        if excess is not None:
            for each in done:
                _undo(rates, each)
            return excess
        done.append(Taken(rule, tokens if tokens < rule.tokens_per_min else rule.tokens_per_min))
    return done


def end(rates: Rates, taken: list[Taken], tokens: int) -> None:
    """A request ended, having used so many tokens."""
    for each in taken:
        rule = each.rule
        if rule.concurrency >= 0:
            rates.leave(rule.slot)
        if rule.per_token_s > 0.0:
            rates.put_back(rule.slot, TOKENS, (each.tokens - tokens) * rule.per_token_s)


def withdraw(rates: Rates, taken: list[Taken]) -> None:
    """A request was refused for another reason: it has taken nothing."""
    for each in taken:
        _undo(rates, each)


def _take(rates: Rates, rule: Rule, tokens: int, now: float) -> Excess | None:
    slot = rule.slot
    if rule.is_closed:
        if rule.quota.requests_per_min == 0:
            return Excess(_allowed(rule, 0, rule.whole.requests_per_min, "request", "a minute"), MINUTE_S)
        return Excess(_allowed(rule, 0, rule.whole.tokens_per_min, "token", "a minute"), MINUTE_S)
    if rule.per_request_s > 0.0:
        wait = rates.draw(slot, REQUESTS, rule.per_request_s, now)
        if wait > 0.0:
            part, whole = rule.quota.requests_per_min, rule.whole.requests_per_min
            allowed = _allowed(rule, part, whole, "request", "a minute")
            return Excess(f"{allowed}, and the next one is possible in {_told(wait)}", wait)
    if rule.per_token_s > 0.0:
        counted = tokens if tokens < rule.tokens_per_min else rule.tokens_per_min
        wait = rates.draw(slot, TOKENS, counted * rule.per_token_s, now)
        if wait > 0.0:
            _put_back(rates, rule)
            allowed = _allowed(rule, rule.tokens_per_min, rule.whole.tokens_per_min, "token", "a minute")
            return Excess(f"{allowed}, and the {tokens} asked for are possible in {_told(wait)}", wait)
    if rule.concurrency >= 0 and not rates.enter(slot, rule.concurrency):
        _put_back(rates, rule, tokens)
        allowed = _allowed(rule, rule.concurrency, rule.whole.concurrency, "request", "at once")
        return Excess(f"{allowed}, and that many are under way" if rule.concurrency else allowed, 1.0)
    return None


def _allowed(rule: Rule, part: int | None, whole: int | None, noun: str, per: str) -> str:
    """What a quota allows: the whole of it, and of that what this gateway may let through where others share it."""
    allowed = f"quota `{rule.quota.id}` allows {whole or 'no'} {noun}{'' if whole == 1 else 's'} {per}"
    if part == whole:
        return allowed
    here = f"{part} of them through this gateway" if part else "none through this gateway: others share the quota"
    return f"{allowed}, {here}"


def _told(wait: float) -> str:
    """A wait in tenths of a second, rounded up: it is over by then."""
    return f"{ceil(wait * 10.0 - 1e-6) / 10.0:.1f} s"


def _undo(rates: Rates, taken: Taken) -> None:
    if taken.rule.concurrency >= 0:
        rates.leave(taken.rule.slot)
    _put_back(rates, taken.rule, taken.tokens)


def _put_back(rates: Rates, rule: Rule, tokens: int = 0) -> None:
    if rule.per_request_s > 0.0:
        rates.put_back(rule.slot, REQUESTS, rule.per_request_s)
    if tokens and rule.per_token_s > 0.0:
        rates.put_back(rule.slot, TOKENS, min(tokens, rule.tokens_per_min) * rule.per_token_s)
