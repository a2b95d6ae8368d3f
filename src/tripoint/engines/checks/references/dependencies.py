"""Do `dependencies` name things that exist, each of a kind that fits?"""

from __future__ import annotations

from collections.abc import Iterator

from tripoint.domain.dependency import Dependency
from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate
from tripoint.domain.findings import clip, finding, quoted
from tripoint.engines.checks.references.names import unknown
from tripoint.engines.facts.shared import Things, derived_needs, derived_things, node_id, things_of


def check_dependencies(estate: Estate) -> Iterator[Finding]:
    """Names that lead nowhere, ids that mean two things, and more asked of alternatives than there are."""
    if not estate.dependencies:
        return
    derived = derived_things(estate)
    things = things_of(estate)
    for index, each in enumerate(estate.dependencies):
        path = f"dependencies[{index}]"
        yield from _identity(path, each, derived, things)
        for field, names in (("needs", each.needs), ("needs_any", each.needs_any)):
            for place, name in enumerate(names):
                if name not in things.shared:
                    message = f"nothing that can be leaned on is called `{clip(name)}`"
                    yield unknown("TP1217", f"{path}.{field}[{place}]", message, name, things.leaned_on)
        for place, name in enumerate(each.needed_by):
            if name not in things.leaning:
                message = f"nothing that could need it is called `{clip(name)}`"
                yield unknown("TP1217", f"{path}.needed_by[{place}]", message, name, things.leaning)
        if each.needs_any and each.at_least > len(each.needs_any):
            message = f"is {each.at_least}, expects at most {len(each.needs_any)}, the length of `needs_any`"
            yield finding("TP1302", f"{path}.at_least", message, "lower it, or name more alternatives")
        elif not each.needs_any and each.at_least != 1:
            message = f"{each.at_least} of nothing: `needs_any` is empty"
            yield finding("TP1302", f"{path}.at_least", message, "name the alternatives in `needs_any`")
    yield from _circle(estate, things)


def _identity(path: str, each: Dependency, derived: dict[str, str], things: Things) -> Iterator[Finding]:
    """A kind the estate knows refines what is there; any other needs a name of its own."""
    own = node_id(each.kind, each.id)
    known = tuple(name for name, node in derived.items() if node.startswith(f"{each.kind.value}:"))
    if each.kind.is_derived:
        if derived.get(each.id) != own:
            message = f"no {each.kind.value} is called `{clip(each.id)}`"
            yield unknown("TP1217", f"{path}.id", message, each.id, known)
    elif each.id in things.groups or each.id in things.workloads or derived.get(each.id, own) != own:
        said = derived.get(each.id, "a workload, kind or layer").partition(":")[0]
        message = (
            f"`{clip(each.id)}` is already the name of a {said}"
            if each.id in derived
            else (f"`{clip(each.id)}` already names {said}")
        )
        hint = (
            f"give it a name of its own, or write `kind: {said}`"
            if each.id in derived
            else (f"give it a name of its own; taken: {quoted(tuple(things.groups))} and every workload")
        )
        yield finding("TP1215", f"{path}.id", message, hint)


def _circle(estate: Estate, things: Things) -> Iterator[Finding]:
    """A circle of needs: each of it runs while the others do, and none could start first."""
    needs = {node: list(below) for node, below in derived_needs(estate).items()}
    position: dict[str, int] = {}
    for index, each in enumerate(estate.dependencies):
        own = node_id(each.kind, each.id)
        position.setdefault(own, index)
        needs.setdefault(own, []).extend(things.shared.get(name, "") for name in (*each.needs, *each.needs_any))
        for name in each.needed_by:
            for node in things.needing(name):
                needs.setdefault(node, []).append(own)
    circle = _some_circle(needs)
    if circle:
        index = next((position[node] for node in circle if node in position), 0)
        said = " needs ".join(f"`{node}`" for node in (*circle, circle[0]))
        hint = "once all are down none can start first: take one need out, or give one a copy elsewhere"
        yield finding("TP1409", f"dependencies[{index}]", said, hint)


def _some_circle(needs: dict[str, list[str]]) -> list[str]:
    """One circle in order, or nothing: what needs nothing that is left is taken away until no more can be."""
    left = dict(needs)
    while True:
        done = [node for node, below in left.items() if not any(name in left for name in below)]
        if not done:
            break
        for node in done:
            del left[node]
    path: list[str] = []
    node = next(iter(left), "")
    while node and node not in path:
        path.append(node)
        node = next(name for name in left[node] if name in left)
    return path[path.index(node) :] if node else []
