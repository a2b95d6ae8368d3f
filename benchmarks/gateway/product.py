"""The product as an entrant: an estate that uses everything, and the same with one feature after the other left out."""

from __future__ import annotations

from importlib.metadata import version

from benchmarks.gateway.peers import KEY, Ground, Peer, Start
from benchmarks.measure import ROOT


def _start(ground: Ground) -> Start:
    return Start(command=(str(ROOT / ".venv/bin/tripoint"), "serve"), headers=(f"Authorization: Bearer {KEY}",))


PRODUCT = Peer(name="tripoint", version=lambda: version("tripoint"), start=_start)
VARIANTS: tuple[Peer, ...] = ()
