"""How often does a thing fail by itself, and for how long? As declared, else the catalogue's figure of its kind."""

from __future__ import annotations

from dataclasses import dataclass

from tripoint.domain.catalog import Catalog
from tripoint.domain.cut import Member
from tripoint.domain.dependency import Dependency, DependencyKind
from tripoint.domain.estate import Estate
from tripoint.domain.provenance import Figure, Origin
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.facts.shared import node_id


@dataclass(frozen=True, slots=True)
class Rates:
    """Failure figures of an estate."""

    estate: Estate
    """Whose assumptions and dependencies count first."""
    catalog: Catalog
    """Whose defaults count then."""

    def member(self, kind: DependencyKind, name: str, text: str, sort: str = "", count: int = 1) -> Member:
        """How the thing called `name` fails; `sort` is a finer kind the catalogue tells apart."""
        declared = self.declared(kind, name)
        key = f"failure.{kind.value}.{sort}" if sort else f"failure.{kind.value}"
        return Member(
            id=node_id(kind, name),
            text=text,
            per_year=self._figure(
                declared.fails_per_year if declared else None, f"{key}.per_year", kind, name, "1/year"
            ),
            hours=self._figure(declared.hours_to_repair if declared else None, f"{key}.hours", kind, name, "hours"),
            grace_hours=declared.grace_hours if declared else 0.0,
            copies=count,
        )

    def declared(self, kind: DependencyKind, name: str) -> Dependency | None:
        """The entry of `dependencies` about this thing."""
        return next((each for each in self.estate.dependencies if (each.kind, each.id) == (kind, name)), None)

    def _figure(self, own: float | None, key: str, kind: DependencyKind, name: str, unit: str) -> Figure:
        if own is None:
            return default_figure(self.catalog, self.estate.assumptions, key)
        what = key.rpartition(".")[2]
        return Figure(key=f"dependency.{kind.value}:{name}.{what}", value=own, unit=unit, origin=Origin.DECLARED)
