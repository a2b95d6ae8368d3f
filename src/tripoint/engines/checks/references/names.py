"""Do names refer to something, and does each name something of its own?

Each row of `_REFERENCES` says which field holds a name of what; an unknown name is told with the nearest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from tripoint.domain.dataset import Dataset
from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate
from tripoint.domain.findings import clip, did_you_mean, finding, quoted
from tripoint.domain.hardware import NodeType
from tripoint.domain.link import Link
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.policy import CertificationRule, ResidencyRule
from tripoint.domain.purchase import NodePool
from tripoint.domain.recovery import Exclusion, Impact, Objective, RecoveryRules, Store, Timing, Tolerance
from tripoint.domain.serving import ClientKey, Fallback, Upstream
from tripoint.domain.site import Site, SiteKind
from tripoint.domain.workload import Caller, DatasetUse, Demand, TodayShare, Workload
from tripoint.engines.checks.references.known import KnownNames
from tripoint.engines.checks.walk import Entry, entries
from tripoint.engines.sizing.demand.shapes import SHAPE_NAMES

NameCheck = Callable[[str, str, KnownNames], Finding | None]


def named(code: str, what: str, names: Callable[[KnownNames], tuple[str, ...]]) -> NameCheck:
    """A check that a name is one of a list."""

    def check(path: str, name: str, known: KnownNames) -> Finding | None:
        allowed = names(known)
        if name in allowed:
            return None
        return unknown(code, path, f"no {what} is called `{clip(name)}`", name, allowed)

    return check


def unknown(code: str, path: str, message: str, name: str, allowed: Iterable[str]) -> Finding:
    """An unknown name, with the nearest known ones, or all of them when few."""
    names = tuple(dict.fromkeys(allowed))
    hint = did_you_mean(name, names) or (f"known: {quoted(names)}" if names else "none is declared")
    return finding(code, path, message, hint)


def _country(path: str, name: str, known: KnownNames) -> Finding | None:
    if known.is_country(name):
        return None
    if name == "UK" or known.is_country(name.upper()):
        right = "GB" if name.upper() == "UK" else name.upper()
        return finding("TP1209", path, f"`{clip(name)}` is not written as a country code", f"write `{right}`")
    message = f"no country has the code `{clip(name)}`"
    return finding("TP1209", path, message, "use ISO 3166 alpha-2 codes, such as `DE` or `US`")


def _country_or_set(path: str, name: str, known: KnownNames) -> Finding | None:
    if name in known.country_sets:
        return None
    said = _country(path, name, known)
    if said is None or said.hint.startswith("write"):
        return said
    near = did_you_mean(name, known.country_sets)
    sets = f"use alpha-2 codes such as `DE`, or a set: {quoted(known.country_sets)}"
    return finding("TP1209", path, f"no country or country set is called `{clip(name)}`", near or sets)


def _caller_place(path: str, name: str, known: KnownNames) -> Finding | None:
    if name in known.sites or name in known.regions or known.is_country(name):
        return None
    message = f"`{clip(name)}` is not a site, a `provider:region` or a country code"
    near = did_you_mean(name, (*known.sites, *known.regions))
    return finding("TP1212", path, message, near or "name one of these, e.g. `DE` or `aws:us-east-1`")


def site_or_group(path: str, name: str, known: KnownNames) -> Finding | None:
    """A site, a kind or a layer."""
    if name in known.sites or name in known.groups:
        return None
    message = f"`{clip(name)}` is not a site, kind or layer"
    return unknown("TP1212", path, message, name, dict.fromkeys((*known.sites, *known.groups)))


def _today_node(path: str, name: str, known: KnownNames) -> Finding | None:
    if name in known.node_types or name in known.apis:
        return None
    message = f"no node type or API model is called `{clip(name)}`"
    return unknown("TP1204", path, message, name, (*known.node_types, *known.apis))


def _licence_kind(path: str, name: str, known: KnownNames) -> Finding | None:
    kinds = tuple(SiteKind)
    if name in kinds:
        return None
    return unknown("TP1104", path, f"expects one of {quoted(kinds)}, found `{clip(name)}`", name, kinds)


def regime(path: str, name: str, known: KnownNames) -> Finding | None:
    """A regime some rule speaks about."""
    if name.lower() in known.regimes:
        return None
    message = f"no rule of the catalogue or of `policies` speaks about the regime `{clip(name)}`"
    return unknown("TP1210", path, message, name, known.regimes)


_SITE = named("TP1201", "site", lambda known: known.sites)
_MODEL = named("TP1202", "model", lambda known: known.models)
_DATASET = named("TP1203", "dataset", lambda known: known.datasets)
ACCELERATOR = named("TP1205", "accelerator", lambda known: known.accelerators)
_API = named("TP1206", "API model", lambda known: known.apis)
_WORKLOAD = named("TP1211", "workload", lambda known: known.workloads)

_REFERENCES: Mapping[tuple[type, str], NameCheck] = MappingProxyType(
    {
        (Site, "country"): _country,
        (Site, "jurisdiction"): _country,
        (Site, "apis"): _API,
        (NodePool, "node_type"): named("TP1204", "node type", lambda known: known.node_types),
        (NodeType, "accelerator"): ACCELERATOR,
        (ModelSpec, "like"): named("TP1208", "catalogue model", lambda known: known.catalog_models),
        (ModelSpec, "api_models"): _API,
        (ModelSpec, "precisions"): named("TP1104", "precision", lambda known: known.precisions),
        (ModelSpec, "licence_countries"): _country_or_set,
        (ModelSpec, "licence_kinds"): _licence_kind,
        (Dataset, "copies"): _SITE,
        (Dataset, "regimes"): regime,
        (Workload, "model"): _MODEL,
        (Workload, "regimes"): regime,
        (Workload, "only_at"): site_or_group,
        (Workload, "not_at"): site_or_group,
        (Caller, "place"): _caller_place,
        (Demand, "shape"): named("TP1213", "demand shape", lambda known: SHAPE_NAMES),
        (Demand, "reference_accelerator"): ACCELERATOR,
        (DatasetUse, "dataset"): _DATASET,
        (TodayShare, "site"): _SITE,
        (TodayShare, "node_type"): _today_node,
        (ResidencyRule, "allow"): _country_or_set,
        (ResidencyRule, "workloads"): _WORKLOAD,
        (CertificationRule, "workloads"): _WORKLOAD,
        (Objective, "workloads"): _WORKLOAD,
        (Objective, "residency"): _country_or_set,
        (Tolerance, "workloads"): _WORKLOAD,
        (Impact, "workloads"): _WORKLOAD,
        (Exclusion, "workloads"): _WORKLOAD,
        (Timing, "workloads"): _WORKLOAD,
        (Timing, "sites"): _SITE,
        (Store, "workloads"): _WORKLOAD,
        (Store, "dataset"): _DATASET,
        (Store, "sites"): _SITE,
        (Store, "snapshot_site"): _SITE,
        (RecoveryRules, "weights_at"): _SITE,
        (Upstream, "site"): _SITE,
        (Upstream, "node_type"): _today_node,
        (ClientKey, "workloads"): _WORKLOAD,
        (ClientKey, "only_at"): site_or_group,
        (Fallback, "workload"): _WORKLOAD,
        (Fallback, "models"): _MODEL,
    }
)


def check_references(estate: Estate, known: KnownNames) -> Iterator[Finding]:
    """Names that refer to nothing, or to more than they seem to."""
    callers = {caller.place for workload in estate.workloads for caller in workload.callers}
    for entry in entries(estate):
        check = _REFERENCES.get(entry.key)
        if check is not None:
            yield from filter(None, (check(path, str(name), known) for path, name in entry.items()))
            if check is site_or_group:
                yield from _wider(entry, estate, known)
        elif entry.key in ((Link, "source"), (Link, "target")):
            yield from _link_end(entry, known, callers)


def _wider(entry: Entry, estate: Estate, known: KnownNames) -> Iterator[Finding]:
    """A site called like a kind or a layer: whoever names it means all of that kind or layer too."""
    for path, name in entry.items():
        if name not in known.sites or name not in known.groups:
            continue
        others = tuple(site.id for site in estate.sites if site.id != name and name in (site.kind, site.kind.layer))
        if others:
            what = "kind" if name in tuple(SiteKind) else "layer"
            message = f"`{name}` is a site and a {what} too, so this means {quoted(others)} as well"
            hint = f"give the site `{name}` a name of its own, or leave it if all of them are meant"
            yield finding("TP1218", path, message, hint)


def _link_end(entry: Entry, known: KnownNames, callers: set[str]) -> Iterator[Finding]:
    name = str(entry.value)
    if name in known.sites or name in callers or name in known.regions or known.is_country(name):
        return
    message = f"`{clip(name)}` is neither a site nor a place of callers"
    yield unknown("TP1201", entry.path, message, name, (*known.sites, *sorted(callers)))


def check_ids(estate: Estate) -> Iterator[Finding]:
    """Ids that cannot be used, or that two things share."""
    groups: tuple[tuple[str, str, list[str]], ...] = (
        ("sites", "id", [site.id for site in estate.sites]),
        ("models", "id", [model.id for model in estate.models]),
        ("workloads", "id", [workload.id for workload in estate.workloads]),
        ("links", "id", [link.id for link in estate.links]),
        ("datasets", "id", [dataset.id for dataset in estate.datasets]),
        ("node_types", "id", [node.id for node in estate.node_types]),
        ("dependencies", "id", [each.id for each in estate.dependencies]),
        ("recovery.stores", "id", [store.id for store in estate.recovery.stores]),
        ("serving.upstreams", "id", [upstream.id for upstream in estate.serving.upstreams]),
        ("serving.keys", "id", [key.id for key in estate.serving.keys]),
    )
    for path, name, ids in groups:
        yield from distinct(path, name, ids)
        yield from usable(path, name, ids)
    for index, site in enumerate(estate.sites):
        below = f"sites[{index}]"
        yield from distinct(f"{below}.pools", "node_type", [pool.node_type for pool in site.pools or ()])
        yield from distinct(f"{below}.expansion", "id", [step.id for step in site.expansion])


def distinct(path: str, name: str, ids: list[str]) -> Iterator[Finding]:
    """Names that two entries of a list share."""
    first: dict[str, int] = {}
    for index, each in enumerate(ids):
        if each in first:
            message = f"`{clip(each)}` is already the {name} of `{path}[{first[each]}]`"
            hint = "put both into one entry" if name == "node_type" else "give each its own name"
            yield finding("TP1215", f"{path}[{index}].{name}", message, hint)
        first.setdefault(each, index)


def usable(path: str, name: str, ids: list[str]) -> Iterator[Finding]:
    """Ids become part of others (`site/node_type/option`, `provider:region`), so those signs are taken."""
    taken = "/:" if path in ("sites", "workloads", "links", "datasets", "recovery.stores") else ""
    is_sent = path.startswith("serving")
    for index, each in enumerate(ids):
        is_plain = each.isprintable() and not any(char.isspace() or char in taken for char in each)
        if each and is_plain and len(each) <= 100 and (each.isascii() or not is_sent):
            continue
        message = f"`{clip(each)}` cannot be a name" if each else "a name cannot be empty"
        hint = "use letters, digits, `-`, `_` and `.`, at most 100 of them"
        yield finding("TP1216", f"{path}[{index}].{name}", message, hint)
