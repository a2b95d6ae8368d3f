"""Errors as RFC 9457 problems: one table from our errors to statuses, with code, place, both numbers and a hint."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from tripoint.apps.admin.wire.mistakes import Mistake
from tripoint.domain.errors import (
    AccessError,
    ConflictError,
    EstateError,
    FileError,
    IdentityError,
    InternalError,
    MissingError,
    MissingExtraError,
    OptionError,
    PlatformError,
    SolverError,
    StoreError,
    TripointError,
    UpstreamError,
)

STATUSES: Mapping[type[TripointError], int] = MappingProxyType(
    {
        TripointError: 500,
        EstateError: 422,
        OptionError: 422,
        AccessError: 403,
        IdentityError: 401,
        MissingError: 404,
        ConflictError: 409,
        UpstreamError: 503,
        PlatformError: 503,
        SolverError: 500,
        FileError: 503,
        MissingExtraError: 500,
        StoreError: 503,
        InternalError: 500,
    }
)
"""Status of every error class; a class without a row of its own is a mistake the tests find."""

TITLES: Mapping[int, str] = MappingProxyType(
    {
        400: "The request cannot be read",
        401: "Who is calling is not known",
        403: "The caller may not do this",
        404: "Nothing of that name",
        405: "This address does not take this method",
        409: "It is there already, or has changed",
        412: "It has changed since it was read",
        413: "The request is too long",
        415: "The request is not JSON",
        422: "A value cannot be used",
        428: "The version to be changed must be named",
        429: "Too many failed attempts",
        500: "A bug in tripoint",
        503: "Not now",
    }
)
"""What a status means here, the same words every time."""
HINTS: Mapping[int, str] = MappingProxyType(
    {
        400: "`/openapi.json` says what this address takes",
        401: "send `Authorization: Bearer` with a key of a principal, or a token of the identity provider",
        403: "ask an admin",
        404: "a list shows what there is; `/openapi.json` has all addresses",
        405: "the header `Allow` names those it takes",
        409: "read it again, then decide",
        412: "read it again, then decide",
        413: "send less",
        415: "send JSON, with the header `Content-Type: application/json`",
        422: "`/openapi.json` says which values there are",
        428: "read it first and send its `ETag`",
        429: "try again later",
        500: "report it with the request's id",
        503: "try again in some seconds; the operator finds the reason in the log",
    }
)
"""What to do about a status where nothing closer is known; no problem is told without a hint."""
RETRY_S = 5
"""When a caller may ask again after a 503, s."""
MEDIA_TYPE = "application/problem+json"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was not done."""

    type: str
    """`urn:tripoint:error:` and the code; says who must act."""
    title: str
    """What the status means."""
    status: int
    """HTTP status."""
    detail: str
    """What is wrong with this request, both numbers included."""
    code: str
    """Code of the error, as in the command reference."""
    hint: str
    """What to do."""
    place: str = ""
    """Where in the request, e.g. `body.limit_usd`; empty for the whole."""
    errors: tuple[Mistake, ...] = ()
    """Everything that is wrong with a body or a query, the first included; empty where that is not asked."""
    request: str = ""
    """Id of the request, also in the log."""


class RefusedError(Exception):
    """A request the interface itself refuses, before any errand is run."""

    def __init__(
        self, status: int, detail: str, *, hint: str = "", place: str = "", errors: tuple[Mistake, ...] = ()
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.hint = hint
        self.place = place
        self.errors = errors
        self.headers: dict[str, str] = {}
        """Further headers of the answer."""


_CODES = {401: IdentityError, 403: AccessError, 404: MissingError, 409: ConflictError, 412: ConflictError,
          428: ConflictError, 429: IdentityError, 503: PlatformError}  # fmt: skip


def problem_of(error: BaseException, request: str) -> tuple[Problem, dict[str, str]]:
    """How an error is told, and headers beside it; total over every exception, and never with what a bug says."""
    if isinstance(error, RefusedError):
        code = _CODES.get(error.status, OptionError).code
        told = _problem(error.status, code, error.detail, request)
        return msgspec.structs.replace(
            told, hint=error.hint or told.hint, place=error.place, errors=error.errors
        ), error.headers
    if not isinstance(error, TripointError):
        detail = "the request could not be done for a reason that is ours; the log has it under this request's id"
        return _problem(500, InternalError.code, detail, request), {}
    status = STATUSES[next(base for base in type(error).__mro__ if base in STATUSES)]
    if status == 500:
        detail = "the request could not be done for a reason that is ours; the log has it under this request's id"
        return _problem(status, error.code, detail, request), {}
    headers = {"retry-after": str(RETRY_S)} if status == 503 else {}
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="tripoint"'
    if status == 503:  # where a store is, and what its driver says, is for the log
        detail = "a part this needs does not answer now; the log has the reason under this request's id"
        return _problem(status, error.code, detail, request), headers
    told = _problem(status, error.code, error.message, request)
    return msgspec.structs.replace(told, hint=error.hint or told.hint), headers


def _problem(status: int, code: str, detail: str, request: str) -> Problem:
    known = status if status in TITLES else 500
    return Problem(
        type=f"urn:tripoint:error:{code}", title=TITLES[known], status=status, detail=detail, code=code,
        hint=HINTS[known], request=request,
    )  # fmt: skip
