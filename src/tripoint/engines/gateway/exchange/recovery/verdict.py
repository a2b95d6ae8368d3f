"""What does an upstream's status mean for the request: pass it on, or try elsewhere, and whose fault is it?"""

from __future__ import annotations

from typing import Final

from tripoint.domain.record import Failure

# Statuses that say something about the upstream, not about the request: another one may do better.
_BY_STATUS: Final = {
    401: Failure.CREDENTIAL,
    403: Failure.CREDENTIAL,
    404: Failure.ABSENT,
    405: Failure.ABSENT,
    408: Failure.STATUS,
    425: Failure.LIMITED,
    429: Failure.LIMITED,
    529: Failure.LIMITED,
}
REPEATABLE: Final[tuple[Failure, ...]] = (Failure.CONNECT, Failure.RESET)
"""Nothing was answered and nothing is known to have been begun: the same upstream may be asked once more."""
GONE: Final[tuple[Failure, ...]] = (Failure.CONNECT, Failure.RESET, Failure.LOST)
"""The upstream broke off, perhaps with hundreds under way: going elsewhere once puts no second load on anybody alive,
so it asks no credit. Breakers bound what that costs when all are gone."""
_LONGEST_WAIT_S: Final = 3600.0


def failure_of(status: int, retry_after_s: float) -> Failure | None:
    """The failure a status stands for; `None` when the answer, good or bad, is the caller's.

    401, 403 and 404 are about our credential and our name for the model: the caller never sees either, and 404 and 405
    speak of that model and interface alone. A 503 that says when to come back is a limit, any other 5xx a fault. A good
    answer is a 200 on every interface: what calls itself otherwise good is no answer to bill or to pass on.
    """
    if status < 400:
        return None if status == 200 else Failure.ANSWER
    if status == 503 and retry_after_s > 0:
        return Failure.LIMITED
    if status >= 500 and status != 529:
        return Failure.STATUS
    return _BY_STATUS.get(status)


def retry_after_of(value: bytes) -> float:
    """Seconds of a Retry-After header; 0 when it is a date or nonsense (bounded, since upstreams are not trusted)."""
    text = value.strip()
    if not text.isdigit() or len(text) > 9:
        return 0.0
    return min(float(text), _LONGEST_WAIT_S)


def status_for(failure: Failure) -> tuple[int, str, str]:
    """Status, code and sentence told to the caller when nobody else could serve the request."""
    if failure is Failure.LIMITED:
        return 429, "upstream_limited", "every permitted upstream refuses more requests for now"
    if failure in (Failure.TIMEOUT, Failure.STALL):
        return 504, "upstream_timeout", "no permitted upstream answered in time"
    return 502, "upstream_failed", "no permitted upstream could answer"


def is_whole(body: bytes) -> bool:
    """True for what begins and ends as a JSON document does: a cut or garbled answer is had elsewhere."""
    text = body.strip()
    return text[:1] in (b"{", b"[") and text[-1:] in (b"}", b"]")
