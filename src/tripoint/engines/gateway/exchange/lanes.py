"""What every request to one candidate shares: path, credential, translation; prepared once per table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from tripoint.domain.serving import Api
from tripoint.domain.table import Candidate, Target
from tripoint.engines.gateway.dialects.addresses import credential_head, path_of
from tripoint.engines.gateway.dialects.translation import Translation, served_as, translation
from tripoint.engines.gateway.exchange.effects import Attempt
from tripoint.engines.gateway.exchange.metering import Rates
from tripoint.engines.gateway.wire.ask import Ask, outgoing_body, outgoing_pieces, read_ask
from tripoint.engines.gateway.wire.output import limited_body, suit_target
from tripoint.engines.gateway.wire.shapes.plain import spliced

if TYPE_CHECKING:
    from tripoint.engines.gateway.exchange.course import Course
    from tripoint.engines.gateway.routing.query import Choice


class Lane:
    """One interface of one candidate."""

    __slots__ = (
        "api", "asked", "candidate", "document_head", "head", "model", "named", "path", "prices", "rates", "served",
        "site", "stream_head", "target", "translation", "upstream",
    )  # fmt: skip

    def __init__(self, api: Api, candidate: Candidate, target: Target, secret: str | None, prices: str) -> None:
        served = served_as(api, target)
        assert served is not None  # the router offers only candidates that serve the interface
        self.candidate = candidate
        self.target = target
        self.served = served
        self.prices = prices
        """Price version of the candidate's tariffs."""
        self.rates = Rates(candidate.tariff, candidate.list_tariff, candidate.marginal)
        self.asked = api
        """Interface the caller uses."""
        self.api: str = api.value
        # For records: reaching through candidate and target costs more.
        self.model, self.site, self.upstream = candidate.model, target.site, target.id
        self.translation: Translation | None = translation(api, served)
        self.path = path_of(served, target, candidate.name)
        self.named = msgspec.json.encode(candidate.name)
        """The upstream's name for the model, as JSON."""
        self.head = credential_head(target, secret)
        told = f"x-tripoint-site: {target.site}\r\nx-tripoint-upstream: {target.id}\r\ncache-control: no-store\r\n"
        self.document_head = b"content-type: application/json\r\n" + told.encode()
        """Header lines of an answer in one piece."""
        self.stream_head = b"content-type: text/event-stream\r\n" + told.encode()
        """Header lines of a streamed answer."""


class Lanes:
    """Lanes by candidate and interface of one table; `secrets` are the credentials by their reference."""

    def __init__(self, secrets: Mapping[str, str], prices: str) -> None:
        self._secrets = secrets
        self._prices = prices
        self._lanes: dict[int, list[Lane]] = {}
        """By the candidate's identity: an interface is found among its few faster than by a key of both."""
        self._latest: Lane | None = None

    def of(self, api: Api, candidate: Candidate, target: Target) -> Lane:
        """The lane of a candidate for an interface."""
        latest = self._latest
        if latest is not None and latest.candidate is candidate and latest.asked is api:
            return latest
        latest = self._latest = self._found(api, candidate, target)
        return latest

    def _found(self, api: Api, candidate: Candidate, target: Target) -> Lane:
        lanes = self._lanes.get(id(candidate))
        if lanes is None:
            lanes = self._lanes[id(candidate)] = []
        for lane in lanes:
            if lane.asked is api and lane.candidate is candidate:
                return lane
        if lanes and lanes[0].candidate is not candidate:
            lanes.clear()
        secret = None if target.secret is None else self._secrets.get(target.secret)
        lane = Lane(api, candidate, target, secret, self._prices)
        lanes.append(lane)
        return lane


def prepared(course: Course, choice: Choice, now: float) -> Attempt:
    """The attempt a choice stands for; raises `Malformed` where the upstream's interface cannot carry the request."""
    candidate, core, ask = choice.candidate, course.core, course.ask
    lane = core.lanes.of(ask.api, candidate, choice.target)
    attempt = Attempt(choice, lane, now)
    if ask.set_limit:
        ask = _limited(ask, lane)
    if lane.translation is None:
        if ask.model_at:
            attempt.body = spliced(ask, lane.named, with_usage=True)
        elif ask.cuts:
            attempt.pieces = outgoing_pieces(ask, candidate.name, with_usage=True)
        else:
            attempt.body = outgoing_body(ask, candidate.name, with_usage=True)
    else:
        attempt.body = lane.translation.request(ask, candidate.name)
    left_ms = int((course.deadline - now) * 1000.0) or 1
    attempt.head = b"%bx-tripoint-timeout-ms: %d\r\nx-request-id: %b\r\n%b" % (
        lane.head, left_ms, course.shown, course.trace_head,
    )  # fmt: skip
    return attempt


def _limited(ask: Ask, lane: Lane) -> Ask:
    """The request with the limit that was set here, as the lane wants it."""
    if lane.translation is not None:
        return read_ask(ask.api, limited_body(ask))  # translations read the body anew
    suit_target(ask, lane.target)
    return ask
