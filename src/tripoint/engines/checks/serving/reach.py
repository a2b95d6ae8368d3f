"""Which upstream may serve which workload, by the filter the planner and the router use: is anything left without?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate
from tripoint.domain.findings import did_you_mean, finding, quoted
from tripoint.domain.serving import Upstream
from tripoint.domain.units import ModelId, SiteId
from tripoint.domain.workload import Workload
from tripoint.engines.sizing.policy import Place, Rulebook, judge, place_of, rulebook, subject_of


def check_reach(estate: Estate, catalog: Catalog) -> tuple[Finding, ...]:
    """Upstreams no workload may use and workloads no upstream may serve; the estate's names are known."""
    if not estate.serving.upstreams:
        return ()
    book = rulebook(estate, catalog)
    places = {site.id: place_of(site, catalog) for site in estate.sites}
    asking = [workload for workload in estate.workloads if workload.kind.answers_requests]
    return (
        *_idle_upstreams(estate, catalog, asking, places, book),
        *_unserved(estate, catalog, asking, places, book),
    )


def _wanted(estate: Estate, workload: Workload) -> tuple[ModelId, ...]:
    """Its own model and those it may fall back to."""
    rows = [row for row in estate.serving.fallbacks if row.workload == workload.id]
    return tuple(name for name in (workload.model, *(model for row in rows for model in row.models)) if name)


def _refusal(estate: Estate, catalog: Catalog, workload: Workload, place: Place, book: Rulebook) -> str:
    """Why policy removes the place; empty when it does not."""
    verdict = judge(place, subject_of(workload, estate, catalog), book)
    return "" if verdict is None else verdict.text


def _idle_upstreams(
    estate: Estate, catalog: Catalog, asking: list[Workload], places: Mapping[SiteId, Place], book: Rulebook
) -> Iterator[Finding]:
    for index, upstream in enumerate(estate.serving.upstreams):
        path = f"serving.upstreams[{index}]"
        pairs = [(each, model) for each in asking for model in _wanted(estate, each) if model in upstream.models]
        if not pairs:
            names = quoted(list(upstream.models)) if upstream.models else "no model"
            message = f"`{upstream.id}` serves {names}, and no workload that answers requests asks for that"
            yield finding("TP1406", path, message, "name the models as the estate's `models` do, or remove it")
            continue
        why = [
            _refusal(estate, catalog, replace(each, model=model), places[upstream.site], book) for each, model in pairs
        ]
        if all(why):
            message = f"no workload may be served by `{upstream.id}`; `{pairs[0][0].id}` for one: {why[0]}"
            yield finding("TP1406", path, message, "remove it, or change the rules")


def _unserved(
    estate: Estate, catalog: Catalog, asking: list[Workload], places: Mapping[SiteId, Place], book: Rulebook
) -> Iterator[Finding]:
    for index, workload in enumerate(estate.workloads):
        if workload not in asking or workload.model is None:
            continue
        able: list[Upstream] = [each for each in estate.serving.upstreams if workload.model in each.models]
        path = f"workloads[{index}].model"
        if not able:
            served = dict.fromkeys(model for each in estate.serving.upstreams for model in each.models)
            message = f"no upstream serves `{workload.model}`, so requests for `{workload.id}` are refused"
            hint = did_you_mean(workload.model, served) or "declare it in an upstream's `models`"
            yield finding("TP1407", path, message, hint)
            continue
        why = [_refusal(estate, catalog, workload, places[each.site], book) for each in able]
        if all(why):
            message = f"policy lets none of the {len(able)} upstreams with `{workload.model}` serve `{workload.id}`"
            yield finding(
                "TP1407", path, f"{message}; at `{able[0].site}`: {why[0]}", "declare one at a site it may use"
            )
