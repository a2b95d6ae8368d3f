"""Gentle traffic: requests at random times at a steady rate, whatever the answers do, in the estate's workloads.

Open loop, because callers of the real world do not wait for each other. Texts, keys and labels differ; what must be
repeatable (streams, which a killed site may cut) is asked for greedily, so that another site can go on with it.
"""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass
from typing import Any, Final

from tripoint.apps.hybrid.callers.client import ask
from tripoint.apps.hybrid.callers.tally import Tally

_SUBJECTS: Final = (
    "the queue at the second site", "a replica that went quiet", "the price of a spare node", "last month's invoice",
    "a copy of the index", "the lease of the rack", "a route that moved", "the drill of this quarter",
    "one cold cache", "our largest caller", "the plan for the branch", "a signed forecast",
)  # fmt: skip
_OPENINGS: Final = ("Tell me about", "Where is", "Who pays for", "What follows from", "Check", "Summarise")
_GRACE_S: Final = 10.0
_SPENT: Final = "status 429: insufficient_quota"
"""What a caller sees whose tenant has spent its budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One kind of request among the traffic."""

    workload: str
    """Workload id, named as the model."""
    share: float
    """Its share of all requests."""
    forbidden: frozenset[str]
    """Sites that must never answer it; said here on its own, not read from what routes it."""
    key: str
    """Tenant whose key it is sent with."""
    api: str = "chat"
    """`chat`, `responses`, `messages`, `completions` or `embeddings`."""
    is_stream: bool = False
    """True for a streamed answer."""
    tokens_out: int = 48
    """Longest answer, tokens."""
    label: str = ""
    """Classification the caller declares, if any."""
    is_limited: bool = False
    """True when its budget may run out: a refusal that says so is no loss."""


_PATHS: Final = {
    "chat": "/v1/chat/completions",
    "completions": "/v1/completions",
    "responses": "/v1/responses",
    "messages": "/v1/messages",
    "embeddings": "/v1/embeddings",
}


class Traffic:
    """Sends the streams' requests to the gateway and counts what comes back."""

    def __init__(self, streams: tuple[Stream, ...], secrets: dict[str, str], *, rate: float, seed: int) -> None:
        """`rate` in requests a second over all streams; `secrets` by the streams' keys."""
        self.tally = Tally()
        self._streams = streams
        self._weights = [stream.share for stream in streams]
        self._secrets = secrets
        self._rate = rate
        self._random = random.Random(seed)
        self._open: set[asyncio.Task[None]] = set()

    async def run(self, port: int, stop: asyncio.Event) -> None:
        """Calls until `stop` is set, then waits for the answers still under way, a while at most."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while not stop.is_set():
            due += self._random.expovariate(self._rate)
            pause = due - loop.time()
            if pause > 0:
                try:
                    async with asyncio.timeout(pause):
                        await stop.wait()
                    break
                except TimeoutError:
                    pass
            task = asyncio.create_task(self._call(port, self._random.choices(self._streams, self._weights)[0]))
            self._open.add(task)
            task.add_done_callback(self._open.discard)
        if self._open:
            await asyncio.wait(self._open, timeout=_GRACE_S)

    async def _call(self, port: int, stream: Stream) -> None:
        self.tally.sent += 1
        phase = self.tally.phase
        body = json.dumps(self._body(stream)).encode()
        reply = await ask(port, "POST", _PATHS[stream.api], head=self._head(stream), body=body)
        if stream.is_limited and reply.fault == _SPENT:
            self.tally.refused[stream.key] += 1
            return
        self.tally.heard(stream.workload, reply, stream.forbidden, phase)

    def _head(self, stream: Stream) -> dict[str, str]:
        head = {}
        if stream.key:
            head["authorization"] = f"Bearer {self._secrets[stream.key]}"
        if stream.label:
            head["x-tripoint-classification"] = stream.label
        if stream.api == "messages":
            head["anthropic-version"] = "2023-06-01"
        return head

    def _body(self, stream: Stream) -> dict[str, Any]:
        text = f"{self._random.choice(_OPENINGS)} {self._random.choice(_SUBJECTS)} ({self._random.randrange(1000)})."
        body: dict[str, Any] = {"model": stream.workload}
        if stream.api == "embeddings":
            return {**body, "input": [text, self._random.choice(_SUBJECTS)]}
        body |= {"temperature": 0, "stream": stream.is_stream}
        if stream.api == "responses":
            return {**body, "input": text, "max_output_tokens": stream.tokens_out}
        body["max_tokens"] = stream.tokens_out
        if stream.api == "completions":
            return {**body, "prompt": text}
        return {**body, "messages": [{"role": "user", "content": text}]}
