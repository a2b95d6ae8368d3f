"""Around every request: an id, headers that keep browsers out, a refusal of foreign origins, a line in the log."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tripoint.apps.admin.wire.problems import MEDIA_TYPE, RefusedError, problem_of

_ALWAYS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "vary": "Authorization, Origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_OVER_TLS = {"strict-transport-security": "max-age=31536000"}
_ID_BYTES = 12


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """One request in the log: never an address with its values, never a credential, never a body."""

    at: float
    """When it came, seconds since 1970."""
    request: str
    """Request id."""
    operation: str
    """Operation of the route table; empty when there is none at that address."""
    method: str
    """HTTP method; `?` for one nobody knows."""
    status: int
    """HTTP status."""
    actor: str
    """Who called; empty when unknown."""
    address: str
    """Whence."""
    took_s: float
    """How long it took, s."""
    fault: str = ""
    """What went wrong here, for a status of 500 or 503."""


class Guard:
    """The outermost layer."""

    def __init__(self, inside: ASGIApp, log: Callable[[LogLine], None]) -> None:
        self._inside = inside
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (or the start and end of the process, which pass through)."""
        if scope["type"] != "http":
            await self._inside(scope, receive, send)
            return
        request = secrets.token_hex(_ID_BYTES)
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state.update(request=request, operation="", actor="", fault="")
        at, began, status = time.time(), time.perf_counter(), 0

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request
                for name, value in (_ALWAYS | (_OVER_TLS if scope["scheme"] == "https" else {})).items():
                    headers[name] = value
            await send(message)

        try:
            await self._answered(scope, receive, dressed)
        finally:
            took = round(time.perf_counter() - began, 6)
            method = scope["method"] if scope["method"] in _METHODS else "?"
            address = (scope.get("client") or ("", 0))[0]
            self._log(LogLine(at=round(at, 3), request=request, operation=state["operation"], method=method,
                              status=status, actor=state["actor"], address=address, took_s=took,
                              fault=state["fault"]))  # fmt: skip

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            _refuse_foreign_origin(Headers(scope=scope), scope["scheme"])
            await self._inside(scope, receive, noted)
        except Exception as error:
            if started:
                raise
            await send_problem(scope, send, error)


async def send_problem(scope: Scope, send: Send, error: BaseException) -> None:
    """Answers with an error; what a bug or a store says goes to the log only."""
    problem, headers = problem_of(error, scope["state"]["request"])
    if problem.status >= 500:
        scope["state"]["fault"] = f"{type(error).__name__}: {' '.join(str(error).split())}"[:500]
    body = msgspec.json.encode(problem)
    pairs = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), **headers}
    raw = [(name.encode("ascii"), value.encode("latin-1")) for name, value in pairs.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")


def _refuse_foreign_origin(headers: Headers, scheme: str) -> None:
    """No page of another site may call, whatever credential it holds; there is no CORS to allow it."""
    origin = headers.get("origin")
    if origin is None:
        return
    own = f"{scheme}://{headers.get('host', '')}".lower()
    parts = urlsplit(origin.lower())
    if f"{parts.scheme}://{parts.netloc}" != own or parts.path:
        raise RefusedError(
            403, "a page of another origin may not call the admin interface", place="header.origin",
            hint="call it from a program, or from where it is served",
        )  # fmt: skip
