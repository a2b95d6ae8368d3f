"""One line of JSON per request: who, where, how long, how much; never a prompt, an answer, a key's secret or a header.

The order of fields is part of the promise. A line is printable ASCII: everything else is escaped, so no name can
forge a line or move a terminal's cursor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from tripoint.domain.record import AttemptRecord, UsageRecord
from tripoint.engines.gateway.telemetry.semconv import CONVENTIONS, OPERATIONS


class FailedAttempt(msgspec.Struct):
    """An attempt that failed."""

    upstream: str
    """Upstream id."""
    site: str
    """Site id."""
    reason: str
    """Why it was made."""
    failure: str
    """How it failed."""
    status: int
    """HTTP status, 0 when none came."""
    started_s: float
    """When it began, s after the request."""
    took_s: float
    """How long it lasted, s."""


class AccessLine(msgspec.Struct):
    """The fields of a line, in their order."""

    at: float
    """When the request began, seconds since the epoch."""
    id: str
    """Request id, as sent in `x-request-id`."""
    trace_id: str
    """W3C trace id."""
    tenant: str
    """Who pays."""
    key: str
    """Id of the client key."""
    api: str
    """Interface used."""
    workload: str
    """Workload id; empty when refused before it was known."""
    model: str
    """Model spec id that answered."""
    site: str
    """Site that answered."""
    upstream: str
    """Upstream that answered."""
    reason: str
    """Why it was chosen."""
    status: int
    """HTTP status sent."""
    ending: str
    """How the request ended."""
    error: str
    """Error code sent, empty when none."""
    stream: bool
    """True for a streamed answer."""
    tokens_in: int
    """Input tokens."""
    tokens_out: int
    """Output tokens."""
    cached: int
    """Input tokens from the upstream's cache."""
    reasoning: int
    """Output tokens spent on reasoning."""
    estimated: bool
    """True when we counted the tokens ourselves."""
    ttft_s: float
    """Time to first token, s."""
    tpot_s: float
    """Mean time per output token after the first, s."""
    total_s: float
    """Whole time, s."""
    own_s: float
    """Part of it before the first attempt was sent, s."""
    nano: int
    """Effective cost, nano-dollars."""
    list_nano: int
    """The same at list prices."""
    marginal_nano: int
    """What routing compared, nano-dollars."""
    tariff: str
    """Price row of the answer."""
    prices: str
    """Price version it belongs to."""
    attempts: int
    """Attempts made."""
    failed: list[FailedAttempt]
    """Those that failed, in order."""


LINE_FIELDS: Final = AccessLine.__struct_fields__
"""Fields of a line, in their order."""
_MEANINGS: Final = {"stream": "is_stream", "estimated": "is_estimated"}
_encode: Final = msgspec.json.Encoder().encode


def access_line(r: UsageRecord) -> bytes:
    """The line of a request, ended by a newline."""
    return _line(AccessLine(*_values(r)))


def conventional_lines(version: str) -> Callable[[UsageRecord], bytes]:
    """What writes lines by a version of OpenTelemetry's conventions: fields they name carry that name, others ours.

    The operation's name comes last. Raises `KeyError` for a version that is not in `semconv.CONVENTIONS`.
    """
    names = CONVENTIONS[version].attributes
    renamed = {name: names[_MEANINGS.get(name, name)] for name in LINE_FIELDS if _MEANINGS.get(name, name) in names}
    fields: list[str | tuple[str, type]] = list(LINE_FIELDS)
    if "operation" in names:
        fields.append("operation")
        renamed["operation"] = names["operation"]
    kind: Callable[..., msgspec.Struct] = msgspec.defstruct("ConventionalLine", fields, rename=renamed)
    has_operation = "operation" in names

    def line(r: UsageRecord) -> bytes:
        if has_operation:
            return _line(kind(*_values(r), OPERATIONS.get(r.api, r.api)))
        return _line(kind(*_values(r)))

    return line


def _values(r: UsageRecord) -> tuple[Any, ...]:
    # One unpacking of a plain tuple costs a third of reading as many named fields.
    (
        name, at, tenant, key, workload, model, api, site, upstream, status, ending, error, is_stream, usage,
        ttft_s, tpot_s, total_s, own_s, reason, nano, list_nano, marginal_nano, tariff, prices, trace_id, attempts, _,
    ) = r[:]  # fmt: skip
    failed: list[FailedAttempt] = []
    for attempt in attempts:
        if attempt[7]:
            failed.append(_failed(attempt))
    return (
        at, name, trace_id, tenant, key, api, workload, model, site, upstream, reason, status, ending, error,
        is_stream, *usage, round(ttft_s, 6), round(tpot_s, 6), round(total_s, 6), round(own_s, 6), nano, list_nano,
        marginal_nano, tariff, prices, len(attempts), failed,
    )  # fmt: skip


def _line(fields: msgspec.Struct) -> bytes:
    try:
        line = _encode(fields)
    except UnicodeEncodeError:
        line = _encode({name: _mended(value) for name, value in msgspec.structs.asdict(fields).items()})
    if not line.isascii() or b"\x7f" in line:
        line = _escaped(line)
    return line + b"\n"


def _mended(value: object) -> object:
    """A value without halves of surrogate pairs, which no JSON can carry."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _failed(attempt: AttemptRecord) -> FailedAttempt:
    return FailedAttempt(
        attempt.upstream, attempt.site, attempt.reason, attempt.failure, attempt.status, round(attempt.started_s, 6),
        round(attempt.took_s, 6),
    )  # fmt: skip


def _escaped(line: bytes) -> bytes:
    """The same JSON with all that is not printable ASCII as escapes of UTF-16 units."""
    pieces = []
    for sign in line.decode("utf-8", "replace"):
        if " " <= sign <= "~":
            pieces.append(sign)
        else:
            units = sign.encode("utf-16-be", "surrogatepass")
            pieces += [f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)]
    return "".join(pieces).encode("ascii")
