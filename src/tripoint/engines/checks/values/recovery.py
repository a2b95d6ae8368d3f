"""Does what is said about recovery mean something: objectives that ask, evidence with a date, stores somebody needs?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tripoint.domain.catalog import Catalog
from tripoint.domain.disruption import TermSource
from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate
from tripoint.domain.findings import clip, finding, quoted
from tripoint.domain.recovery import Objective, Store, Timing
from tripoint.domain.workload import Standby, Workload
from tripoint.engines.facts.places import country_of, expand_countries

_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?\Z")
_PROVEN = (TermSource.MEASURED, TermSource.DRILLED)


def check_recovery(estate: Estate, catalog: Catalog) -> Iterator[Finding]:
    """What workloads ask for themselves, then objectives, timings and stores."""
    rules = estate.recovery
    for index, workload in enumerate(estate.workloads):
        asked = workload.recovery.rpo_minutes
        if asked is not None and not _has_store(workload, estate):
            yield _pointless(f"workloads[{index}].recovery.rpo_minutes", [str(workload.id)], asked)
        yield from _keeps(f"workloads[{index}].recovery.survive_share", workload)
    for index, objective in enumerate(rules.objectives):
        path = f"recovery.objectives[{index}]"
        yield from _asks(path, objective)
        yield from _has_data(path, objective, estate)
        yield from _has_a_place(path, objective, estate, catalog)
    for index, timing in enumerate(rules.timings):
        yield from _dated(f"recovery.timings[{index}]", timing)
    for index, store in enumerate(rules.stores):
        path = f"recovery.stores[{index}]"
        yield from _dated(path, store)
        yield from _kept(path, store, estate)


def _keeps(path: str, workload: Workload) -> Iterator[Finding]:
    """A share below 1 says how much stands by; a plan keeps nothing for a workload that asks for no standby."""
    own = workload.recovery
    asks = own.standby is not Standby.NONE or own.rto_minutes is not None
    if own.survive_share >= 1.0 or (asks and workload.kind.is_interactive):
        return
    message = f"{own.survive_share:g} keeps no capacity: plans hold none of `{workload.id}` against the loss of a site"
    mend = "declare `standby` or `rto_minutes` beside it"
    if not workload.kind.is_interactive:
        mend = f"remove it: there is no standby for work of kind `{workload.kind}`"
    hint = f"{mend}; alone it is only the least `assess` and `stress` look for"
    yield finding("TP1509", path, message, hint)


def _asks(path: str, objective: Objective) -> Iterator[Finding]:
    if not objective.after:
        message = "names no loss, so it is never asked for"
        yield finding("TP1330", f"{path}.after", message, "name one or more, e.g. `[site, region]`")
        return
    asked = (
        objective.rto_minutes,
        objective.rpo_minutes,
        objective.least_share,
        objective.highest_cost_factor,
        objective.residency or None,
    )
    if all(each is None for each in asked):
        hint = "declare `rto_minutes`, `rpo_minutes`, `least_share`, `highest_cost_factor` or `residency`"
        yield finding("TP1330", path, "asks for nothing", hint)


def _has_data(path: str, objective: Objective, estate: Estate) -> Iterator[Finding]:
    """A recovery point of a workload without state would be met by saying nothing."""
    if objective.rpo_minutes is None:
        return
    without = [
        str(each.id)
        for each in estate.workloads
        if (not objective.workloads or each.id in objective.workloads) and not _has_store(each, estate)
    ]
    if (objective.workloads and without) or (not objective.workloads and len(without) == len(estate.workloads)):
        yield _pointless(f"{path}.rpo_minutes", without, objective.rpo_minutes)


def _pointless(path: str, workloads: list[str], asked: float) -> Finding:
    message = f"asks {quoted(workloads)} for a recovery point of {asked:g} min, and no data is named"
    hint = "declare what it `writes`, or a store under `recovery.stores`; without data it counts as met"
    return finding("TP1410", path, message, hint)


def _has_store(workload: Workload, estate: Estate) -> bool:
    return bool(workload.writes) or any(workload.id in store.workloads for store in estate.recovery.stores)


def _has_a_place(path: str, objective: Objective, estate: Estate, catalog: Catalog) -> Iterator[Finding]:
    if not objective.residency:
        return
    known = {row.name for row in catalog.country_sets}
    names = tuple(name for name in objective.residency if name in known or len(name) == 2)
    allowed = expand_countries(names, catalog)
    there = {country_of(site, catalog) or "" for site in estate.sites} - {""}
    if names and there and not there & allowed:
        message = f"recovery must stay in {quoted(objective.residency)}; the sites are in {quoted(sorted(there))}"
        yield finding("TP1411", f"{path}.residency", message, "declare a site there, or widen the set")


def _dated(path: str, told: Timing | Store) -> Iterator[Finding]:
    if told.as_of and not _DATE.match(told.as_of):
        message = f"`{clip(told.as_of)}` is not a date"
        yield finding("TP1332", f"{path}.as_of", message, "write `2026`, `2026-11` or `2026-11-22`")
    elif not told.as_of and told.source in _PROVEN:
        message = f"is {told.source.value}, and nobody says when"
        yield finding("TP1331", f"{path}.source", message, "declare `as_of`; evidence grows old")


def _kept(path: str, store: Store, estate: Estate) -> Iterator[Finding]:
    dataset = next((each for each in estate.datasets if each.id == store.dataset), None)
    writes = any(use.dataset == store.dataset for workload in estate.workloads for use in workload.writes)
    if not store.workloads and not (store.dataset is not None and writes):
        message = f"no workload needs `{clip(store.id)}` back"
        yield finding("TP1508", path, message, "name them under `workloads`, or a `dataset` that is written")
    if not store.sites and (store.dataset is None or (dataset is not None and not dataset.copies)):
        message = f"nobody says where `{clip(store.id)}` is kept, so any loss takes all of it"
        yield finding("TP1412", path, message, "declare `sites`, the source first, or a `dataset` with `copies`")
