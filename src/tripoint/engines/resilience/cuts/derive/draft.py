"""A graph being made: nodes by name, with what they need and how they fail.

Sites declared with `count` are identical. Two of them stand for all, since no set of two touches more; the rest only
adds its weight. A set that touches the first copy stands for `count` sets, one that touches both for
`count * (count - 1) / 2`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tripoint.domain.cut import Member
from tripoint.engines.resilience.cuts.graph import Gate, Graph, all_of

FIRST, SECOND = 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """Which copy of which site a node belongs to."""

    entry: str
    """Site id of the entry."""
    copy: int
    """`FIRST` or `SECOND`."""
    count: int
    """Sites the entry stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """A finished graph with what its nodes mean."""

    graph: Graph
    """The graph."""
    members: dict[int, Member]
    """Node -> how it fails; a key for every event of the graph."""
    copied: dict[int, Copied]
    """Node -> its copy, of nodes that have several."""
    shares: dict[int, tuple[Gate, ...]]
    """Workload's node -> its gates that count shares: what is up of them is what is served."""
    graces: dict[int, float]
    """Node -> hours what needs it goes on without it; only of nodes that have any."""

    def instances(self, nodes: Sequence[int]) -> int:
        """Sets that this one stands for; 0 where another one stands for it."""
        by_entry: dict[str, set[int]] = {}
        counts: dict[str, int] = {}
        for node in nodes:
            if node in self.copied:
                copied = self.copied[node]
                by_entry.setdefault(copied.entry, set()).add(copied.copy)
                counts[copied.entry] = copied.count
        number = 1
        for entry, copies in by_entry.items():
            count = counts[entry]
            if copies == {FIRST}:
                number *= count
            elif copies == {FIRST, SECOND}:
                number *= count * (count - 1) // 2
            else:
                return 0
        return number


@dataclass(slots=True)
class Draft:
    """Nodes and needs, added in any order."""

    ids: list[str] = field(default_factory=list)
    """[node] names."""
    gates: list[list[Gate]] = field(default_factory=list)
    """[node] what it needs."""
    members: dict[int, Member] = field(default_factory=dict)
    """Node -> how it fails."""
    copied: dict[int, Copied] = field(default_factory=dict)
    """Node -> its copy."""
    instances: dict[str, list[int]] = field(default_factory=dict)
    """Name without copies -> its nodes: one, or first, second and rest of a site with several."""
    counts: dict[str, int] = field(default_factory=dict)
    """Site id -> identical sites it stands for."""
    tops: list[int] = field(default_factory=list)
    """Workloads."""
    shares: dict[int, list[Gate]] = field(default_factory=dict)
    """Workload's node -> its gates that count shares."""

    def node(self, name: str, member: Member | None = None) -> int:
        """A new node; one that fails by itself where `member` says how."""
        number = len(self.ids)
        self.ids.append(name)
        self.gates.append([])
        if member is not None:
            self.members[number] = member
        return number

    def single(self, name: str, member: Member | None = None) -> int:
        """The one node of a name, made when first asked for."""
        if name not in self.instances:
            self.instances[name] = [self.node(name, member)]
        return self.instances[name][0]

    def need(self, node: int, gate: Gate) -> None:
        """Adds a gate; one that asks for nothing is left out."""
        if gate.parts and gate.least > 0:
            self.gates[node].append(gate)

    def need_share(self, top: int, gate: Gate) -> None:
        """Adds a gate whose weights are shares of what is asked."""
        self.need(top, gate)
        self.shares.setdefault(top, []).append(gate)

    def need_all(self, node: int, parts: Sequence[int]) -> None:
        """Adds a gate that needs every part."""
        self.need(node, all_of(tuple(dict.fromkeys(parts))))

    def finished(self) -> Derived:
        """The graph as it is now."""
        graph = Graph(
            ids=tuple(self.ids),
            gates=tuple(tuple(gates) for gates in self.gates),
            events=tuple(sorted(self.members)),
            tops=tuple(self.tops),
        )
        return Derived(
            graph=graph,
            members=dict(self.members),
            copied=dict(self.copied),
            shares={top: tuple(gates) for top, gates in self.shares.items()},
            graces={node: member.grace_hours for node, member in self.members.items() if member.grace_hours > 0.0},
        )
