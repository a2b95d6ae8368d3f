"""Over which declared links can a caller reach a place? Every way without a detour twice through one place."""

from __future__ import annotations

from dataclasses import dataclass, field

from tripoint.domain.estate import Estate

_MOST_LINKS = 4
_MOST_WAYS = 32
_MOST_OPEN = 5000


@dataclass(slots=True)
class Roads:
    """Declared links by where they begin, and the ways already looked up."""

    neighbours: dict[str, list[tuple[str, str]]]
    """Place -> links that leave it, each with where it leads."""
    known: dict[tuple[str, str], tuple[tuple[str, ...], ...] | None] = field(default_factory=dict)
    """From and to -> ways."""

    def ways(self, source: str, target: str) -> tuple[tuple[str, ...], ...] | None:
        """Ways as link ids, shortest first; `None` where no links lead there, so that the internet does.

        Ways of more than four links are left out unless there is no shorter one, and of many the 32 shortest are kept.
        """
        if (source, target) not in self.known:
            is_near = source == target or not _is_reachable(self.neighbours, source, target)
            self.known[source, target] = None if is_near else _ways(self.neighbours, source, target)
        return self.known[source, target]


def roads_of(estate: Estate) -> Roads:
    """The links of an estate."""
    return Roads(_neighbours(estate))


def _ways(neighbours: dict[str, list[tuple[str, str]]], source: str, target: str) -> tuple[tuple[str, ...], ...]:
    found: list[tuple[str, ...]] = []
    ways: list[tuple[tuple[str, ...], tuple[str, ...]]] = [((), (source,))]
    while ways and len(found) < _MOST_WAYS:
        longer: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
        for links, places in ways:
            for link, neighbour in neighbours.get(places[-1], ()):
                if neighbour == target:
                    found.append((*links, link))
                elif neighbour not in places and len(longer) < _MOST_OPEN:
                    longer.append(((*links, link), (*places, neighbour)))
        is_long = bool(longer) and len(longer[0][0]) >= _MOST_LINKS
        ways = [] if found and is_long else longer
    return tuple(found[:_MOST_WAYS])


def _neighbours(estate: Estate) -> dict[str, list[tuple[str, str]]]:
    """Place -> links that leave it, each with where it leads."""
    found: dict[str, list[tuple[str, str]]] = {}
    for link in estate.links:
        found.setdefault(str(link.source), []).append((str(link.id), str(link.target)))
        if link.both_ways:
            found.setdefault(str(link.target), []).append((str(link.id), str(link.source)))
    return found


def _is_reachable(neighbours: dict[str, list[tuple[str, str]]], source: str, target: str) -> bool:
    seen = {source}
    rest = [source]
    while rest:
        for _, neighbour in neighbours.get(rest.pop(), ()):
            if neighbour not in seen:
                seen.add(neighbour)
                rest.append(neighbour)
    return target in seen
