"""Upstreams that answer badly: R5. Each fault has a site and a key of its own, so that all are tried at once."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tripoint.apps.battery.load import Fate, Outcome, chats, sent
from tripoint.apps.battery.rig.estate import NAME_THERE, UpstreamAt, estate_text
from tripoint.apps.battery.rig.gateway import GatewayProcess
from tripoint.apps.battery.rig.servers import free_port
from tripoint.apps.battery.verdict import Row, judged, told
from tripoint.testing.model_server import Behaviour, ModelServer

ASKED = 3
_OK = frozenset({Fate.OK})
_TOLD = frozenset({Fate.OK, Fate.TYPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way to answer badly and what its callers must see."""

    name: str
    """Site id, and what it is called."""
    behaviour: Mapping[str, object] = field(default_factory=dict)
    """How the bad upstream behaves."""
    address: str = ""
    """Its address, where it is none of our servers; `{port}` is one that speaks plain HTTP."""
    is_stream: bool = False
    """Whether it is asked for streams."""
    fates: frozenset[Fate] = _OK
    """How requests may end."""
    status: int = 200
    """What callers see."""
    most: int = ASKED
    """Most requests the bad upstream may get."""
    elsewhere: int | None = None
    """Requests that must have gone to the good one, where that is certain."""


FAULTS = (
    Fault(name="limited", behaviour={"status": 429, "retry_after_s": 30}, most=1, elsewhere=ASKED),
    Fault(name="busy", behaviour={"status": 503, "retry_after_s": 30}, most=1, elsewhere=ASKED),
    Fault(name="failing", behaviour={"status": 500}, elsewhere=ASKED),
    Fault(name="unauthorised", behaviour={"status": 401}, elsewhere=ASKED),
    Fault(name="nomodel", behaviour={"status": 404}, elsewhere=ASKED),
    Fault(name="redirecting", behaviour={"status": 307}, elsewhere=ASKED),
    Fault(name="badrequest", behaviour={"status": 400}, fates=frozenset({Fate.REFUSED}), status=400, elsewhere=0),
    Fault(name="unprocessable", behaviour={"status": 422}, fates=frozenset({Fate.REFUSED}), status=422, elsewhere=0),
    Fault(name="slow", behaviour={"first_byte_s": 0.5}, elsewhere=0),
    Fault(name="resetting", behaviour={"is_reset": True}, most=2 * ASKED, elsewhere=ASKED),
    Fault(name="garbage", behaviour={"is_garbage": True}, most=2 * ASKED, elsewhere=ASKED),
    Fault(name="halfbody", behaviour={"cut_after": 0}, most=2 * ASKED, elsewhere=ASKED),
    Fault(name="halfstream", behaviour={"cut_after": 3}, is_stream=True, fates=_TOLD),
    Fault(name="nofirst", behaviour={"cut_after": 0}, is_stream=True, elsewhere=ASKED),
    Fault(name="badchunk", behaviour={"bad_chunk_after": 3}, is_stream=True, fates=_TOLD),
    Fault(name="badevent", behaviour={"bad_event_after": 3}, is_stream=True, fates=_TOLD),
    Fault(name="hugebody", behaviour={"is_huge": True}, fates=frozenset({Fate.OK, Fate.REFUSED, Fate.CUT})),
    Fault(name="hugeevent", behaviour={"is_huge": True}, is_stream=True, fates=_TOLD),
    Fault(name="nousage", behaviour={"has_usage": False}, is_stream=True),
    Fault(name="nolength", behaviour={"has_length": False}),
    Fault(name="closing", behaviour={"closes": True}),
    Fault(name="notls", address="https://127.0.0.1:{port}/v1", most=2 * ASKED, elsewhere=ASKED),
    Fault(name="noname", address="http://no-such-host.invalid:8000/v1", elsewhere=ASKED),
    Fault(name="refusing", address="http://127.0.0.1:{free}/v1", elsewhere=ASKED),
)
"""Every fault of the row."""
MEMORY_BAR_MIB = 160.0


async def bad_answers(faults: Sequence[Fault] = FAULTS) -> list[Row]:
    """R5: every fault at once, and what the gateway weighs after answers of absurd size."""
    async with _faulty(faults) as (gateway, bad, good):
        # Floods come last: they keep this process busy, which the other servers live in.
        ordered = sorted(faults, key=lambda fault: "is_huge" in fault.behaviour)
        calm = [fault for fault in ordered if "is_huge" not in fault.behaviour]
        outcomes = await asyncio.gather(*(_tried(gateway, fault) for fault in calm))
        outcomes += await asyncio.gather(*(_tried(gateway, fault) for fault in ordered[len(calm) :]))
        memory = gateway.memory_mib()
        wrong = [
            f"{fault.name}: {found}"
            for fault, seen in zip(ordered, outcomes, strict=True)
            if (found := _fault_in(fault, seen, bad[fault.name], good[fault.name]))
        ]
    what = f"{len(faults)} ways to answer badly: " + ", ".join(fault.name for fault in faults)
    bar = f"the right class each; 4xx never tried again; Retry-After honoured; below {MEMORY_BAR_MIB:.0f} MiB"
    seen = told(wrong, f"{len(faults)} of {len(faults)} as wanted") + f"; {memory:.0f} MiB"
    return [judged("R5", what, bar, passed=not wrong and memory < MEMORY_BAR_MIB, seen=seen)]


async def _tried(gateway: GatewayProcess, fault: Fault) -> list[Outcome]:
    place = replace(gateway.place(), key=_key(fault))
    make = chats(place, **({"stream": True} if fault.is_stream else {}))
    return [await sent(place, make(number), patience_s=20) for number in range(ASKED)]


def _fault_in(fault: Fault, outcomes: Sequence[Outcome], bad: ModelServer, good: ModelServer) -> str:
    fates = [each.fate for each in outcomes if each.fate not in fault.fates]
    if fates:
        statuses = sorted({each.status for each in outcomes})
        return f"{len(fates)} of {len(outcomes)} {fates[0]} (status {', '.join(map(str, statuses))})"
    if fault.status != 200 and {each.status for each in outcomes} != {fault.status}:
        return f"callers saw {sorted({each.status for each in outcomes})}, not {fault.status}"
    if len(bad.seen) > fault.most:
        return f"the bad upstream was asked {len(bad.seen)} times, at most {fault.most} expected"
    if fault.elsewhere is not None and len(good.seen) != fault.elsewhere:
        return f"the good upstream was asked {len(good.seen)} times, not {fault.elsewhere}"
    return ""


def _key(fault: Fault) -> str:
    return f"tp_verify_{fault.name}"


@asynccontextmanager
async def _faulty(
    faults: Sequence[Fault],
) -> AsyncIterator[tuple[GatewayProcess, dict[str, ModelServer], dict[str, ModelServer]]]:
    """A gateway with two sites for each fault: the bad one is cheaper, and a key confines requests to the two."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tripoint-verify-"))
        gateway = GatewayProcess(Path(folder))
        bad, good = {}, {}
        for fault in faults:
            bad[fault.name] = ModelServer(models=(NAME_THERE,), behaviour=Behaviour(**dict(fault.behaviour)))  # type: ignore[arg-type]  # the names are the server's own
            good[fault.name] = ModelServer(models=(NAME_THERE,))
            for server in (bad[fault.name], good[fault.name]):
                await server.start()
                stack.push_async_callback(server.stop)
        estate = _estate(faults, bad, good)
        environment = {f"TRIPOINT_VERIFY_{fault.name.upper()}": _key(fault) for fault in faults}
        stack.callback(gateway.stop)
        await gateway.start(estate, environment=environment)
        yield gateway, bad, good


def _estate(faults: Sequence[Fault], bad: Mapping[str, ModelServer], good: Mapping[str, ModelServer]) -> str:
    upstreams, sites, keys = [], [], []
    for fault in faults:
        port = bad[fault.name].port
        url = fault.address.format(port=port, free=free_port()) or f"http://127.0.0.1:{port}/v1"
        upstreams.append(UpstreamAt(id=f"{fault.name}-bad", url=url, usd=1.0))
        upstreams.append(
            UpstreamAt(id=f"{fault.name}good-1", url=f"http://127.0.0.1:{good[fault.name].port}/v1", usd=2.0)
        )
        names = [fault.name, f"{fault.name}good"]
        sites += [{"id": name, "kind": "colo", "country": "DE"} for name in names]
        secret = f"env:TRIPOINT_VERIFY_{fault.name.upper()}"
        keys.append({"id": fault.name, "secret": secret, "only_at": names})
    serving = {"keys": keys, "retry_share": 1.0, "first_byte_s": 5.0}
    document = json.loads(estate_text(upstreams, serving=serving))
    document["sites"] = sites
    return json.dumps(document, indent=1)
