"""How long a request and its answer are on the way: round trips, and what links under a fault add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tripoint.engines.stress.trial.conditions import CLEAR, LineState

if TYPE_CHECKING:
    from tripoint.engines.stress.trial.calls import Call
    from tripoint.engines.stress.trial.conditions import Conditions
    from tripoint.engines.stress.world import World

PACKETS: Final = 10
"""Packets whose loss makes a request or the begin of its answer wait."""
RESEND_S: Final = 0.2
"""Least wait before a lost packet is sent again (RFC 6298 allows less than its 1 s; Linux takes this), s."""


class Network:
    """Ways between callers and sites while a trial is played."""

    __slots__ = ("_bandwidth", "_free_at", "_lines", "_sizes", "_ways", "connect_s")

    def __init__(self, world: World) -> None:
        self._bandwidth = {line.id: line.bandwidth_gbps for line in world.lines}
        self._free_at: dict[str, float] = {}
        self._sizes = [asked.kb_per_request * _BITS_PER_KB for asked in world.demanded]
        self._lines: dict[str, LineState] = {}
        self.connect_s = 2.0
        """How long the gateway waits for a connection, s; `PoolOptions.connect_s` of the live one."""
        self._ways: list[list[dict[str, tuple[float, tuple[str, ...]]]]] = [
            [
                {site: (rtt / 1e3, callers.links.get(site, ())) for site, rtt in callers.rtt_ms.items()}
                for callers in asked.callers
            ]
            for asked in world.demanded
        ]

    def change(self, state: Conditions) -> None:
        """Other conditions from now on."""
        self._lines = state.lines

    @property
    def is_struck(self) -> bool:
        """True where any link is not as usual."""
        return bool(self._lines)

    def round_trip(self, call: Call, site: str, now: float) -> float | None:
        """Seconds there and back for one attempt; `None` where nothing gets through."""
        rtt_s, links = self._ways[call.workload][call.caller].get(site, _NEAR)
        if not self._lines or not links:
            return rtt_s
        for link in links:
            state = self._lines.get(link, CLEAR)
            if state is CLEAR:
                continue
            if state.is_down:
                return None
            rtt_s += state.delay_ms / 1e3
            if state.rate < 1.0:
                rtt_s += self._narrow_s(link, state.rate, self._sizes[call.workload], now)
            if state.loss > 0.0 and call.chance(f"loss/{link}") < 1.0 - (1.0 - state.loss) ** PACKETS:
                rtt_s += max(RESEND_S, 2.0 * rtt_s)
        return rtt_s

    def is_cut(self, call: Call, site: str) -> bool:
        """True while a link on the way of a request is cut."""
        return any(
            self._lines.get(link, CLEAR).is_down for link in self._ways[call.workload][call.caller].get(site, _NEAR)[1]
        )

    def is_cut_off(self, site: str) -> bool:
        """True while nobody gets through to a site."""
        ways = [found[site][1] for asked in self._ways for found in asked if site in found]
        return bool(ways) and all(any(self._lines.get(link, CLEAR).is_down for link in way) for way in ways)

    def _narrow_s(self, link: str, rate: float, bits: float, now: float) -> float:
        """Seconds until a request's bytes are through a link of which a part is left, after those before them.

        At its full width a link is taken to be wide enough: only what narrows it makes requests wait for each other.
        """
        bandwidth = self._bandwidth.get(link)
        if bandwidth is None or bits <= 0.0:
            return 0.0
        left = max(rate * bandwidth * _BITS_PER_GBIT, 1.0)
        through_at = max(now, self._free_at.get(link, 0.0)) + bits / left
        self._free_at[link] = through_at
        return through_at - now

    def probe_s(self, site: str) -> float:
        """Round trip of a probe, s: that of the nearest callers."""
        found = [ways[site][0] for asked in self._ways for ways in asked if site in ways]
        return min(found, default=0.0)


_BITS_PER_KB: Final = 8e3
_BITS_PER_GBIT: Final = 1e9
_NEAR: Final[tuple[float, tuple[str, ...]]] = (0.0, ())
