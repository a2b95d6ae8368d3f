"""Options of one run of the planner."""

from __future__ import annotations

from dataclasses import dataclass, field

from tripoint.domain.outlook import Outlook
from tripoint.domain.plan import Plan
from tripoint.domain.source import Positions
from tripoint.engines.placement.milp.program import SolveLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """Options of one run."""

    gap: float = 1e-3
    """Relative gap at which the plan is good enough."""
    seconds: float = 60.0
    """Time limit, seconds; the best plan so far is kept."""
    seed: int = 0
    """Random seed of the solver."""
    threads: int = 2
    """Threads of the solver."""
    nodes: int | None = None
    """Branch-and-bound nodes, for runs that must not depend on the clock."""
    baselines: bool = True
    """Whether to price the alternatives."""
    baseline_gap: float = 5e-3
    """Relative gap at which an alternative is good enough."""
    previous: Plan | None = None
    """An earlier plan to start from: its decisions stay unless a change forces them or moving pays."""
    near: int = 0
    """Most plans nearly as cheap that differ from it, to be told beside it."""
    within: float = 0.03
    """What those may cost more, as a share of its discounted cost."""
    outlooks: tuple[Outlook, ...] = ()
    """How demand and prices may turn out: what is decided at the first review is then decided over all of them."""
    outlook_places: Positions = field(default_factory=Positions)
    """Where they stand in their file, for what is wrong with them."""

    @property
    def limits(self) -> SolveLimits:
        """Of each solve."""
        return SolveLimits(
            gap=self.gap, seconds=self.seconds, nodes=self.nodes, seed=self.seed, threads=self.threads
        )  # fmt: skip


def stated(options: PlanOptions) -> dict[str, str]:
    """The options as a plan tells them."""
    return {
        "gap": f"{options.gap:g}",
        "time_limit_s": f"{options.seconds:g}",
        "seed": str(options.seed),
        "threads": str(options.threads),
        "baselines": str(options.baselines).lower(),
        **({"near": str(options.near), "within": f"{options.within:g}"} if options.near else {}),
        **({"outlooks": ", ".join(each.id for each in options.outlooks)} if options.outlooks else {}),
        **({} if options.previous is None else {"warm_from": options.previous.estate_digest}),
    }
