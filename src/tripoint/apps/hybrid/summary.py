"""How a run ended: who was served by whom, before a site was killed and after, and whether anybody lost anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tripoint.apps.hybrid.callers.tally import Tally
from tripoint.apps.hybrid.tenants import Spent
from tripoint.domain.money import usd
from tripoint.domain.record import UsageRecord


@dataclass(slots=True, kw_only=True)
class Kill:
    """A site that was killed."""

    site: str
    """Which."""
    at_s: float
    """When, seconds after callers began."""
    is_revived: bool = False
    """True when it was brought back later."""
    opened_after_s: float | None = None
    """Until its circuit breaker opened, s; `None` when none was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failovers:
    """What the gateway's records say of requests that hit a dead site."""

    requests: int = 0
    """Requests with a failed attempt that were answered elsewhere."""
    worst_s: float = 0.0
    """Longest time from a request to the start of the attempt that answered it, s."""
    strayed: int = 0
    """Attempts at sites that must not see the workload."""
    records: int = 0
    """Records read."""


def failovers_of(records: Iterable[UsageRecord], forbidden: dict[str, frozenset[str]]) -> Failovers:
    """Reads every attempt of every request; `forbidden` names the sites no request of a workload may reach."""
    requests, worst_s, strayed, count = 0, 0.0, 0, 0
    for record in records:
        count += 1
        strayed += sum(attempt.site in forbidden.get(record.workload, ()) for attempt in record.attempts)
        if record.ending == "ok" and len(record.attempts) > 1 and any(attempt.failure for attempt in record.attempts):
            requests += 1
            worst_s = max(worst_s, record.attempts[-1].started_s)
    return Failovers(requests=requests, worst_s=worst_s, strayed=strayed, records=count)


@dataclass(slots=True, kw_only=True)
class Summary:
    """The end of a run."""

    seconds: float
    """How long callers called."""
    tally: Tally
    """What they counted."""
    kills: list[Kill] = field(default_factory=list)
    """Sites killed."""
    failovers: Failovers = field(default_factory=Failovers)
    """What the records say."""
    fallen: tuple[str, ...] = ()
    """Processes that ended by themselves."""
    startup_s: float = 0.0
    """From the command to the first caller, s."""
    spent: tuple[Spent, ...] = ()
    """What each tenant spent, as the ledger has it in the end."""

    @property
    def has_served_on(self) -> bool:
        """Whether a kill was followed by answers of other sites, and by none of the dead one."""
        after = self.tally.by_site.get("after", Counter())
        dead = {kill.site for kill in self.kills if not kill.is_revived}
        return not self.kills or (sum(after.values()) > 0 and not any(after.get(site) for site in dead))

    @property
    def ok(self) -> bool:
        """Whether nothing was lost, nothing strayed and what should be up is up."""
        is_clean = not (self.tally.lost or self.tally.strayed or self.failovers.strayed or self.tally.open)
        return is_clean and not self.fallen and self.tally.answered > 0 and self.has_served_on

    def payload(self) -> dict[str, Any]:
        """For a machine."""
        return {
            "seconds": round(self.seconds, 3),
            "startup_s": round(self.startup_s, 3),
            "requests": {
                "sent": self.tally.sent,
                "answered": self.tally.answered,
                "lost": self.tally.lost + self.tally.open,
                "refused": self.tally.refused.total(),
                "strayed": self.tally.strayed + self.failovers.strayed,
            },
            "faults": dict(self.tally.faults),
            "by_site": {phase: dict(sites) for phase, sites in self.tally.by_site.items()},
            "by_workload": {workload: dict(sites) for workload, sites in self.tally.by_workload.items()},
            "slowest_s": {phase: round(took, 4) for phase, took in self.tally.slowest_s.items()},
            "kills": [
                {"site": kill.site, "at_s": round(kill.at_s, 3), "breaker_open_after_s": _rounded(kill.opened_after_s)}
                for kill in self.kills
            ],
            "failover": {"requests": self.failovers.requests, "worst_s": round(self.failovers.worst_s, 4)},
            "records": self.failovers.records,
            "spent": {each.tenant or "idle": _spent_payload(each) for each in self.spent},
            "fallen": list(self.fallen),
        }

    def text(self) -> str:
        """For a person."""
        tally = self.tally
        refused = f"{tally.refused.total():,} refused over budget, " if tally.refused else ""
        lines = [
            f"{tally.sent:,} requests in {self.seconds:.0f} s: {tally.answered:,} answered, {refused}"
            f"{tally.lost + tally.open:,} lost, {tally.strayed + self.failovers.strayed:,} where policy forbids it"
        ]
        lines += [f"  {fault}: {count:,}" for fault, count in tally.faults.most_common()]
        for phase in ("before", "after"):
            if phase in tally.by_site:
                when = f"{phase} the kill" if self.kills else "answered"
                lines.append(f"  {when}: {_listed(tally.by_site[phase])}")
        lines += [f"  {workload}: {_listed(sites)}" for workload, sites in sorted(tally.by_workload.items())]
        lines += [self._spent_line(each) for each in self.spent if each.nano or each.limit_nano is not None]
        lines += [self._kill_line(kill) for kill in self.kills]
        lines += [self._failover_line()] if self.kills else []
        lines += [f"  {name} ended by itself" for name in self.fallen]
        return "\n".join(lines)

    def _spent_line(self, spent: Spent) -> str:
        told = f"  {spent.tenant or 'idle capacity'}: {usd(spent.nano):f} USD"
        if spent.limit_nano is not None:
            told += f" of a budget of {usd(spent.limit_nano):f} USD"
        refused = self.tally.refused[spent.tenant]
        return f"{told}; {refused:,} refused for it" if refused else told

    def _kill_line(self, kill: Kill) -> str:
        shut = "" if kill.opened_after_s is None else f"; its circuit breaker opened {kill.opened_after_s:.1f} s later"
        return f"  {kill.site} was killed after {kill.at_s:.1f} s{shut}"

    def _failover_line(self) -> str:
        found = self.failovers
        if not found.requests:
            return "  no request hit a dead site"
        many = f"{found.requests:,} requests hit a dead site and were"
        met = "1 request hit a dead site and was" if found.requests == 1 else many
        return f"  {met} answered elsewhere, tried within {1000 * found.worst_s:.1f} ms"


def _spent_payload(spent: Spent) -> dict[str, str | None]:
    limit = None if spent.limit_nano is None else f"{usd(spent.limit_nano):f}"
    return {"usd": f"{usd(spent.nano):f}", "budget_usd": limit}


def _listed(sites: dict[str, int]) -> str:
    return ", ".join(f"{site or 'no site named'} {count:,}" for site, count in sorted(sites.items()))


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
