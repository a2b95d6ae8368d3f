"""The same faults, the same load, the same hostile bytes: what callers of tripoint, nginx and LiteLLM see.

`python -m benchmarks.faults` prints the tables of docs/resilience.md. Every gateway stands before two equal upstreams
of the fake model server, is told the same longest wait for a first byte and to try the other upstream when one fails.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from benchmarks.measure import say, start, table
from benchmarks.subjects import SUBJECTS, LiteLLM, Subject
from tripoint.apps.battery.faults.loss import Deed
from tripoint.apps.battery.load import Fate, Outcomes, chats, offered
from tripoint.apps.battery.rig.gateway import UPSTREAM_KEY
from tripoint.apps.battery.rig.servers import ModelProcess
from tripoint.apps.battery.verdict import Row, Verdict
from tripoint.apps.battery.wire.battery import wire_rows

FIRST_BYTE_S = 2
WARM_S = 3.0
AFTER_S = 9.0
SLOW_RATE = 8.0
FAST_RATE = 50.0


@asynccontextmanager
async def before_two(kind: type[Subject], **behaviour: object) -> AsyncIterator[Subject]:
    """A subject before two upstreams that behave so; everything is stopped on the way out."""
    servers = [ModelProcess(secret=UPSTREAM_KEY) for _ in range(2)]
    subject = kind(servers[0], servers[1], FIRST_BYTE_S)
    try:
        await asyncio.gather(*(server.start(**behaviour) for server in servers))
        await subject.start()
        await offered(subject.place, chats(subject.place), rate=5.0, seconds=2.0)  # caches and imports are warm
        yield subject
    finally:
        subject.stop()
        for server in servers:
            server.kill()


async def killed(kind: type[Subject], rate: float) -> list[str]:
    """kill -9 of one upstream under unary load: lost, and the wait of the unlucky."""
    async with before_two(kind, first_byte_s=0.05) as subject:
        kill = Deed(subject.first.kill)
        return _row(await _under(subject, rate, kill, {}), kill)


async def hung(kind: type[Subject], rate: float) -> list[str]:
    """SIGSTOP of one upstream under unary load."""
    async with before_two(kind, first_byte_s=0.05) as subject:
        stop = Deed(lambda: subject.first.signal(signal.SIGSTOP))
        return _row(await _under(subject, rate, stop, {}), stop)


async def cut(kind: type[Subject], rate: float) -> list[str]:
    """kill -9 of one upstream while streams of a second run: how each stream ended."""
    async with before_two(kind, first_byte_s=0.05, between_s=0.05) as subject:
        kill = Deed(subject.first.kill)
        outcomes = await _under(subject, rate, kill, {"stream": True})
    fates = (Fate.TYPED, Fate.CUT, Fate.SILENT, Fate.LOST, Fate.REFUSED)
    return [str(len(outcomes)), str(outcomes.count(Fate.OK)), *(str(outcomes.count(fate)) for fate in fates)]


async def greedy(kind: type[Subject], rate: float) -> list[str]:
    """The same with greedy requests."""
    async with before_two(kind, first_byte_s=0.05, between_s=0.05) as subject:
        kill = Deed(subject.first.kill)
        outcomes = await _under(subject, rate, kill, {"stream": True, "temperature": 0})
    return [f"{outcomes.count(Fate.OK)} of {len(outcomes)}"]


async def outage(kind: type[Subject], rate: float) -> list[str]:
    """Both upstreams fail: attempts a request costs, and how long callers wait to be told."""
    async with before_two(kind) as subject:
        await offered(subject.place, chats(subject.place), rate=rate, seconds=2.0)
        both = (subject.first, subject.second)
        for server in both:
            await server.behave(status=503)
        before = sum([(await server.counts())["requests"] for server in both])
        outcomes = await offered(subject.place, chats(subject.place), rate=rate, seconds=5.0)
        attempts = sum([(await server.counts())["requests"] for server in both]) - before
        memory = subject.memory_mib()
    waiting = sum("retry-after" in each.headers for each in outcomes.all)
    slow_ms = 1000 * outcomes.slowest(0.99)
    return [
        f"{attempts / len(outcomes):.2f}x",
        f"{waiting} of {len(outcomes)}",
        f"{slow_ms:,.0f} ms",
        f"{memory:,.0f} MiB",
    ]


async def hostile(kind: type[Subject]) -> list[tuple[str, str, str]]:
    """The wire battery: id, what was done, and the verdict or what was wrong."""
    async with before_two(kind) as subject:
        rows = await wire_rows(subject.place, lambda line: None, is_quick=False, idle=2000, body_bar_s=30.0)
    return [(row.id, row.what, "-" if row.id in kind.not_judged else _verdict(row)) for row in rows]


def _verdict(row: Row) -> str:
    return str(row.verdict) if row.verdict is Verdict.PASS else f"{row.verdict}: {row.seen}"


async def _under(subject: Subject, rate: float, deed: Deed, members: dict[str, object]) -> Outcomes:
    make = chats(subject.place, **members)
    return await offered(subject.place, make, rate=rate, seconds=WARM_S + AFTER_S, hook=[(WARM_S, deed)])


def _row(outcomes: Outcomes, deed: Deed) -> list[str]:
    lost = [each for each in outcomes.all if each.fate is not Fate.OK]
    last = f", the last after {lost[-1].at - deed.at:.1f} s" if lost else ""
    after = outcomes.since(deed.at - 0.5)
    usual_ms = 1000 * outcomes.before(deed.at - 0.5).took(0.5)
    return [f"{len(lost)} of {len(outcomes)}{last}", f"{usual_ms:,.0f} ms", f"{1000 * after.took(0.99):,.0f} ms",
            f"{1000 * after.took(1.0):,.0f} ms"]  # fmt: skip


async def run(kinds: Sequence[type[Subject]], only: str) -> None:
    """Every table."""
    heads = ["gateway", "requests/s", "lost", "usual (p50)", "p99 after", "worst after"]
    for name, title, act in (("kill", "kill -9, unary", killed), ("stop", "SIGSTOP, unary", hung)):
        if only in ("", name):
            say(f"### {title}\n")
            table(heads, [[kind.name, f"{rate:.0f}", *await act(kind, rate)] for kind, rate in _loads(kinds)])
    if only in ("", "stream"):
        say("### kill -9, streams of a second\n")
        ends = [str(fate) for fate in (Fate.TYPED, Fate.CUT, Fate.SILENT, Fate.LOST, Fate.REFUSED)]
        heads = ["gateway", "requests/s", "streams", "complete", *ends, "greedy: complete"]
        table(
            heads,
            [
                [kind.name, f"{rate:.0f}", *await cut(kind, rate), *await greedy(kind, rate)]
                for kind, rate in _loads(kinds)
            ],
        )
    if only in ("", "outage"):
        say("### both upstreams answer 503\n")
        heads = ["gateway", "requests/s", "attempts a request", "with Retry-After", "p99 to be told", "memory"]
        table(heads, [[kind.name, f"{rate:.0f}", *await outage(kind, rate)] for kind, rate in _loads(kinds)])
    if only in ("", "wire"):
        say("### hostile bytes (`tripoint verify gateway URL`)\n")
        found = [await hostile(kind) for kind in kinds]
        rows = [[one[0][0], one[0][1], *(verdict for _, _, verdict in one)] for one in zip(*found, strict=True)]
        table(["", "what", *(kind.name for kind in kinds)], rows)


def _loads(kinds: Sequence[type[Subject]]) -> list[tuple[type[Subject], float]]:
    """Each gateway at a load all of them carry, and the faster ones at more."""
    slow = [(kind, SLOW_RATE) for kind in kinds]
    return [*slow, *((kind, FAST_RATE) for kind in kinds if kind is not LiteLLM)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints conditions, versions and tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", choices=["kill", "stop", "stream", "outage", "wire"])
    parser.add_argument("--gateway", action="append", help="a name or the beginning of one; all when not given")
    options = parser.parse_args(arguments)
    wanted = tuple(each.lower() for each in options.gateway or ("",))
    kinds = [kind for kind in SUBJECTS if kind.name.lower().startswith(wanted)]
    versions = {kind: kind.version() for kind in kinds}
    start("Faults")
    say("; ".join(f"{kind.name} {version or 'is not installed'}" for kind, version in versions.items()) + "\n")
    asyncio.run(run([kind for kind, version in versions.items() if version], options.only))


if __name__ == "__main__":
    main()
