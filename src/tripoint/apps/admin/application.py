"""The ASGI application: every address of the route table, each request recognised, read, done and answered alike."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from tripoint.apps.admin.contract import Call, Given, Nothing, Operation, Reply
from tripoint.apps.admin.identity.doorman import Doorman
from tripoint.apps.admin.openapi import document
from tripoint.apps.admin.stores import Stores, StoreThread
from tripoint.apps.admin.wire.guard import Guard, LogLine
from tripoint.apps.admin.wire.problems import RefusedError
from tripoint.apps.admin.wire.reading import read_body, read_query
from tripoint.domain.errors import AccessError, IdentityError
from tripoint.domain.tenancy import Actor
from tripoint.engines.governance.access.roles import Action, allows, roles_allowed

NOBODY = Actor("", frozenset())
"""Who calls what anybody may ask."""
_MAX_PART = 200
_REPEAT = re.compile(r"[!-~]{1,255}")
"""An `Idempotency-Key`, as the document describes it."""


class Desk(NamedTuple):
    """What the operations work with."""

    doorman: Doorman
    """Recognises callers."""
    quick: StoreThread
    """Does what takes milliseconds."""
    slow: StoreThread
    """Asks the ledger, so that a long answer does not hold up a log-in."""


def application(operations: Sequence[Operation], desk: Desk, log: Callable[[LogLine], None]) -> ASGIApp:
    """The application; closes the desk's threads when it ends."""

    @asynccontextmanager
    async def lifespan(app: object) -> AsyncIterator[None]:
        yield
        desk.quick.close()
        desk.slow.close()

    by_path: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    written = msgspec.json.encode(document(operations, version("tripoint")))

    def described(request: Request) -> Response:
        return Response(written, media_type="application/vnd.oai.openapi+json")

    routes = [Route(path, _Address(found, desk)) for path, found in by_path.items()]
    routes += [Route("/openapi.json", described), Route("/healthz", lambda request: Response("ok"))]
    return Guard(Router(routes, redirect_slashes=False, default=_missing, lifespan=lifespan), log)


async def _missing(scope: Scope, receive: Receive, send: Send) -> None:
    raise RefusedError(404, "there is no such path here", hint="`/openapi.json` lists them all")


class _Address:
    """All operations at one address."""

    def __init__(self, operations: dict[str, Operation], desk: Desk) -> None:
        self._operations = operations
        self._desk = desk
        self._allowed = ", ".join(sorted({*operations, *(("HEAD",) if "GET" in operations else ())}))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        operation = self._operations.get(method)
        if operation is None:
            refused = RefusedError(405, f"this address takes {self._allowed}")
            refused.headers["allow"] = self._allowed
            raise refused
        scope["state"]["operation"] = operation.id
        request = Request(scope, receive)
        response = _response(operation, await self._answered(operation, request))
        await response(scope, receive, send)

    async def _answered(self, operation: Operation, request: Request) -> Reply:
        actor = await self._actor(operation, request)
        path = {name: str(value) for name, value in request.path_params.items()}
        for name, value in path.items():
            if len(value) > _MAX_PART or not value.isprintable():
                raise RefusedError(404, f"no {name} has such a name", place=f"path.{name}")
        query, body = read_query(request, operation.query), await read_body(request, operation.body)
        given, now = _given(operation, request, actor), time.time()

        def run(stores: Stores) -> Reply:
            return operation.run(
                Call(actor=actor, stores=stores, path=path, query=query, body=body, given=given, now=now)
            )

        thread = self._desk.slow if operation.is_slow else self._desk.quick
        try:
            return await thread.run(run)
        except IdentityError:  # of an operation that anybody may ask: a one-time token that was not good
            if operation.right is None:
                self._desk.doorman.throttle.failed(_address(request), time.monotonic())
            raise

    async def _actor(self, operation: Operation, request: Request) -> Actor:
        if operation.right is None:
            if operation.body is not None:
                self._desk.doorman.refuse_busy(_address(request), "")
            return NOBODY
        actor = await self._desk.doorman.actor(request)
        request.scope["state"]["actor"] = actor.id
        if operation.right and not allows(actor, Action(operation.right)):
            mine = ", ".join(sorted(f"`{role}`" for role in actor.roles)) or "none"
            bound = f", bound to the tenant `{actor.tenant}`" if actor.tenant else ""
            needed = roles_allowed(Action(operation.right))
            raise AccessError(
                f"`{operation.right}` needs the role {needed}; {actor.id} has {mine}{bound}", hint="ask an admin"
            )
        return actor


def _given(operation: Operation, request: Request, actor: Actor) -> Given:
    """What the headers say of a change; raises `RefusedError` for what they leave out or say twice."""
    tags = request.headers.getlist("if-match")
    if operation.needs_tag and not tags:
        raise RefusedError(
            428, "the header `If-Match` with the version to be changed is missing",
            hint="read it first and send its `ETag`", place="header.if-match",
        )  # fmt: skip
    repeats = request.headers.getlist("idempotency-key")
    if len(tags) > 1 or len(repeats) > 1:
        raise RefusedError(400, "`If-Match` and `Idempotency-Key` are read once each", place="header")
    repeat = repeats[0] if repeats and operation.can_repeat else ""
    if (repeat and not _REPEAT.fullmatch(repeat)) or (repeats and not repeats[0]):
        raise RefusedError(
            400, "an `Idempotency-Key` is 1 to 255 printable characters of ASCII, none of them a blank",
            place="header.idempotency-key",
        )  # fmt: skip
    digest = hashlib.sha256(f"{operation.id}\n{actor.id}\n{repeat}".encode()).hexdigest() if repeat else ""
    return Given(tags[0].strip() if tags else "", digest)


def _response(operation: Operation, reply: Reply) -> Response:
    headers = {}
    if reply.tag:
        headers["etag"] = reply.tag
    if reply.location:
        headers["location"] = reply.location
    if reply.is_repeat:
        headers["idempotency-replayed"] = "true"
    if operation.answer is Nothing:
        return Response(status_code=operation.status, headers=headers)
    body = msgspec.json.encode(reply.content)
    return Response(body, status_code=operation.status, headers=headers, media_type="application/json")


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
