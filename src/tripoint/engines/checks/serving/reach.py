"""Which upstream may serve which workload, by the filter the planner and the router use: is anything left without?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate
from tripoint.domain.findings import did_you_mean, finding, quoted
from tripoint.domain.purchase import PurchaseOption
from tripoint.domain.serving import Upstream
from tripoint.domain.units import ModelId, NodeTypeId, SiteId
from tripoint.domain.workload import Workload
from tripoint.engines.facts.pools import pool_specs
from tripoint.engines.sizing.policy import Place, Rulebook, allows_spot, judge, place_of, rulebook, subject_of


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filter:
    """The estate's rules, looked up once."""

    estate: Estate
    catalog: Catalog
    book: Rulebook
    places: Mapping[SiteId, Place]

    def refusal(self, workload: Workload, upstream: Upstream) -> str:
        """Why policy keeps the workload from the upstream; empty when it does not."""
        subject = subject_of(workload, self.estate, self.catalog)
        verdict = judge(self.places[upstream.site], subject, self.book)
        if verdict is not None:
            return verdict.text
        if upstream.option is PurchaseOption.SPOT and not allows_spot(workload):
            return "spot nodes may be taken back, and it may not be interrupted"
        return ""


def check_reach(estate: Estate, catalog: Catalog) -> tuple[Finding, ...]:
    """Upstreams no workload may use and workloads no upstream may serve; the estate's names are known."""
    if not estate.serving.upstreams:
        return ()
    places = {site.id: place_of(site, catalog) for site in estate.sites}
    rules = _Filter(estate=estate, catalog=catalog, book=rulebook(estate, catalog), places=places)
    return (*_idle_upstreams(estate, rules), *_unserved(estate, rules), *_strange(estate, catalog))


def _wanted(estate: Estate, workload: Workload) -> tuple[ModelId, ...]:
    """Its own model and those it may fall back to; none for runs, which nothing can be asked of."""
    if not workload.kind.answers_requests:
        return ()
    rows = [row for row in estate.serving.fallbacks if row.workload == workload.id]
    return tuple(name for name in (workload.model, *(model for row in rows for model in row.models)) if name)


def _idle_upstreams(estate: Estate, rules: _Filter) -> Iterator[Finding]:
    for index, upstream in enumerate(estate.serving.upstreams):
        path = f"serving.upstreams[{index}]"
        pairs = [
            (each, model) for each in estate.workloads for model in _wanted(estate, each) if model in upstream.models
        ]
        if not pairs:
            names = quoted(list(upstream.models)) if upstream.models else "no model"
            message = f"`{upstream.id}` serves {names}, and no workload that answers requests asks for that"
            yield finding("TP1406", path, message, "name the models as the estate's `models` do, or remove it")
            continue
        why = [rules.refusal(replace(each, model=model), upstream) for each, model in pairs]
        if all(why):
            message = f"no workload may be served by `{upstream.id}`; `{pairs[0][0].id}` for one: {why[0]}"
            yield finding("TP1406", path, message, "remove it, or change the rules")


def _unserved(estate: Estate, rules: _Filter) -> Iterator[Finding]:
    for index, workload in enumerate(estate.workloads):
        if not workload.kind.answers_requests or workload.model is None:
            continue
        able = [each for each in estate.serving.upstreams if workload.model in each.models]
        path = f"workloads[{index}].model"
        if not able:
            served = dict.fromkeys(model for each in estate.serving.upstreams for model in each.models)
            message = f"no upstream serves `{workload.model}`, so requests for `{workload.id}` are refused"
            hint = did_you_mean(workload.model, served) or "declare it in an upstream's `models`"
            yield finding("TP1407", path, message, hint)
            continue
        why = [rules.refusal(workload, each) for each in able]
        if all(why):
            many = f"none of the {len(able)} upstreams" if len(able) > 1 else "not the one upstream"
            message = f"policy lets {many} with `{workload.model}` serve `{workload.id}`; `{able[0].id}`: {why[0]}"
            yield finding("TP1407", path, message, "declare one at a site it may use")


def _strange(estate: Estate, catalog: Catalog) -> Iterator[Finding]:
    """Upstreams on what their site does not offer, or selling an API their model does not accept."""
    pools = {(spec.site.id, spec.node.id) for spec in pool_specs(estate, catalog)}
    sold = {(site.id, NodeTypeId(api)) for site in estate.sites for api in site.apis}
    for index, upstream in enumerate(estate.serving.upstreams):
        if upstream.node_type is None:
            continue
        path = f"serving.upstreams[{index}].node_type"
        here = (upstream.site, upstream.node_type)
        if here not in pools and here not in sold:
            message = (
                f"`{upstream.site}` has no pool and sells no API called `{upstream.node_type}`, so the plan can give "
                f"`{upstream.id}` neither a share nor a price"
            )
            offered = [name for site, name in (*sorted(pools), *sorted(sold)) if site == upstream.site]
            hint = did_you_mean(upstream.node_type, offered) or (
                f"it has {quoted(offered)}" if offered else "add it there"
            )
            yield finding("TP1408", path, message, hint)
        elif here in sold:
            for model in estate.models:
                if model.id in upstream.models and upstream.node_type not in model.api_models:
                    message = (
                        f"`{model.id}` does not accept `{upstream.node_type}` as an equivalent, so the plan never puts "
                        f"it there; callers would get it all the same"
                    )
                    yield finding(
                        "TP1408", path, message, f"add it to the model's `api_models`, or remove `{model.id}`"
                    )
