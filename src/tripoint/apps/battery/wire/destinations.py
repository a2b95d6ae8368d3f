"""Requests that name a destination of their own: none may make the deployment connect anywhere else."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tripoint.apps.battery.place import Place
from tripoint.apps.battery.verdict import Row, judged, skipped
from tripoint.apps.battery.wire.attack import Attack, harmless, outcomes
from tripoint.apps.battery.wire.raw import chat_body, request

_FIELDS = ("api_base", "base_url", "url", "endpoint", "host", "api_url", "proxy", "azure_endpoint", "callback_url")
_HEADERS = ("x-forwarded-host", "x-forwarded-for", "forwarded", "x-upstream-url", "x-original-url", "x-rewrite-url",
            "x-host", "x-api-base", "x-tripoint-upstream", "destination", "referer", "origin")  # fmt: skip
_SETTLE_S = 0.5


@dataclass(slots=True)
class Canary:
    """A listener nobody has a reason to connect to."""

    host: str
    """Its address as the deployment sees it."""
    port: int
    """Its port."""
    heard: int = 0
    """Connections made to it."""


async def destination_rows(place: Place) -> list[Row]:
    """Destinations in bodies, headers, targets and hosts, with a canary listening on each of them."""
    what, bar = "destinations in bodies, headers, targets and Host", "0 connections to the canary"
    try:
        local = _local_address(place)
    except OSError as error:
        return [skipped("W17", what, bar, f"no address to listen on: {error}")]
    with canary_listening(local) as canary:
        done = await outcomes(place, _attacks(place, canary))
        await asyncio.sleep(_SETTLE_S)
        heard = canary.heard
    served = sum(talk.status == 200 for _, talk in done)
    seen = f"{heard} connections after {len(done)} requests, of which {served} were served as if they named none"
    return [judged("W17", what, bar, passed=not heard, seen=seen)]


@contextmanager
def canary_listening(host: str) -> Iterator[Canary]:
    """A canary on a free port of `host`, which counts and drops whoever connects; needs a running loop."""
    listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setblocking(False)
    canary = Canary(host, int(listener.getsockname()[1]))
    loop = asyncio.get_running_loop()

    def accept() -> None:
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
            connection.close()
            canary.heard += 1

    loop.add_reader(listener, accept)
    try:
        yield canary
    finally:
        loop.remove_reader(listener)
        listener.close()


def _local_address(place: Place) -> str:
    """Our own address on the way to the deployment: what it would have to connect to."""
    with socket.create_connection((place.host, place.port), timeout=10) as probe:
        return str(probe.getsockname()[0])


def forms_of(canary: Canary) -> list[str]:
    """The canary's address in the spellings filters are known to miss."""
    port = canary.port
    plain = [f"http://{canary.host}:{port}/v1", f"//{canary.host}:{port}/v1", f"{canary.host}:{port}"]
    plain += [
        f"http://trusted.example@{canary.host}:{port}/v1",
        f"gopher://{canary.host}:{port}/_x",
        "file:///etc/passwd",
    ]
    plain += [f"http://{canary.host}:{port}#trusted.example", f"http://{canary.host}:{port}\\@trusted.example/"]
    if ":" in canary.host:
        return [each.replace(canary.host, f"[{canary.host}]") for each in plain]
    number = int.from_bytes(socket.inet_aton(canary.host), "big")
    return [*plain, f"http://{number}:{port}/v1", f"http://0x{number:08x}:{port}/v1",
            f"http://[::ffff:{canary.host}]:{port}/v1", f"http://localhost:{port}/v1"]  # fmt: skip


def _attacks(place: Place, canary: Canary) -> list[Attack]:
    forms = forms_of(canary)
    first, authority = forms[0], forms[2]
    sent: dict[str, bytes] = {}
    for number, form in enumerate(forms):
        members = dict.fromkeys(_FIELDS, form)
        sent[f"body fields, form {number}"] = request(place, body=chat_body(place, **members))
        extra = {"extra_body": members, "metadata": members, "litellm_params": members, "headers": members}
        sent[f"nested body fields, form {number}"] = request(place, body=chat_body(place, **extra))
        sent[f"as the model, form {number}"] = request(place, body=chat_body(place, model=form))
        headers = [(name, form) for name in _HEADERS]
        sent[f"headers, form {number}"] = request(place, body=chat_body(place), headers=headers)
        query = "&".join(f"{name}={form.replace('#', '%23')}" for name in _FIELDS if " " not in form)
        sent[f"query, form {number}"] = request(place, path=f"/chat/completions?{query}", body=chat_body(place))
    body = chat_body(place)
    own = request(place, body=body)
    sent["absolute target"] = request(place, path=f"={first}/chat/completions", body=body)
    sent["absolute target, list of models"] = request(place, method="GET", path=f"={first}/models")
    sent["target with an authority"] = request(place, path=f"=//{authority}/v1/chat/completions", body=body)
    sent["target with credentials"] = request(place, path=f"=@{authority}/v1/chat/completions", body=body)
    sent["tunnel"] = request(place, method="CONNECT", path=f"={authority}")
    sent["foreign Host"] = own.replace(b"Host: " + place.authority.encode(), b"Host: " + authority.encode(), 1)
    tools = json.dumps({"server_url": first})
    sent["tools with a server"] = request(place, body=chat_body(place, mcp_servers=[tools], tool_url=first))
    return [Attack(name=name, pieces=(each,), judge=harmless, patience_s=20) for name, each in sent.items()]
