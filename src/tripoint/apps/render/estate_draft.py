"""A drafted estate as YAML: what the bill says is declared, what it does not say is marked."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from tripoint.apps.render.imported import amount_text, scalar, why_not_known
from tripoint.apps.render.reading.amounts import plural
from tripoint.domain.draft import DraftPool, DraftSite, DraftWorkload, EstateDraft
from tripoint.domain.quote import CommitmentUse

MARK: Final = "TO" + "DO"
"""Marks what a person must decide; in two parts, since no module of ours may hold the word."""
MOST_FOREIGN: Final = 20
"""Places and tags billed in other currencies that are told."""
MOST_TOLD: Final = 5
"""Things without a node type told per site."""


def estate_yaml(draft: EstateDraft, origin: str) -> str:
    """The estate as a file; `origin` says where it comes from."""
    return "\n".join([*_head(draft, origin), *_sites(draft), *_workloads(draft), ""])


def decisions(text: str) -> int:
    """Decisions a person must make."""
    return text.count(MARK)


def _head(draft: EstateDraft, origin: str) -> Iterator[str]:
    yield f"# {_line(origin)}"
    yield f"# Figures are the bill's. What a bill cannot say is marked {MARK}: decide it, then `tripoint check`."
    yield "apiVersion: tripoint/v1"
    yield "name: drafted from a bill"
    yield ""
    yield f"horizon: {{start: {draft.start}, months: 36, period_months: 3}}   # {MARK} how far you plan"


def _sites(draft: EstateDraft) -> Iterator[str]:
    yield ""
    yield f"# {MARK} sites that send no such bill: your own, colocation, edge."
    yield f"# {MARK} `certifications` of each site, where a policy asks for them."
    for provider, region, rows, usd in draft.elsewhere:
        yield f"# also billed, and no site here: {_line(provider)} {_line(region)}, {rows:,} rows, {_usd(usd)}"
    yield from _foreign(draft)
    for use in draft.commitments:
        yield f"# committed, for no node the catalogue knows: {_commitment(use)}"
    yield "sites:" if draft.sites else f"sites: []   # {MARK} the bill names no place where nodes ran"
    for site in draft.sites:
        yield from _site(site)


def _foreign(draft: EstateDraft) -> Iterator[str]:
    """Usage that is missing here only because nobody said what its currency is worth."""
    for use in draft.foreign[:MOST_FOREIGN]:
        where = f"{_line(use.provider)} {_line(use.region)}" if use.region else f"{_line(use.provider)}, no region"
        group = f"`{_line(use.group)}` in the bill" if use.group else "no tag"
        told = f"{where}, {group}, {plural(use.rows, 'row')}, {use.amount:,.2f} {_line(use.currency)}"
        hint = f"give its rate and draft again: `--usd-per {_line(use.currency)}=USD`"
        yield f"# {MARK} usage in {_line(use.currency)} is left out: {told}; {hint}"
    if len(draft.foreign) > MOST_FOREIGN:
        yield f"# and {len(draft.foreign) - MOST_FOREIGN:,} more in other currencies"


def _site(site: DraftSite) -> Iterator[str]:
    yield f"  - id: {scalar(site.id)}"
    yield f"    kind: {site.kind}"
    yield f"    provider: {scalar(site.provider)}"
    yield f"    {'country' if site.is_country else 'region'}: {scalar(site.region)}"
    if not site.is_known and not site.is_country:
        yield f"    # {MARK} country: CC   the catalogue does not know the region; residency and carbon need it"
    for each in site.leaving:
        yield f"    # leaves, {each.path}: {_number(each.gb)} GB a month, {_usd(each.usd)}"
    if site.leaving:
        yield f"    # {MARK} whose bytes leave: `reads`, `writes` or `demand.payload_kb` of a workload"
    for says, hours in site.unknown[:MOST_TOLD]:
        yield f"    # not in the catalogue: {_line(says)}, {_number(hours)} h"
    if len(site.unknown) > MOST_TOLD:
        yield f"    # and {len(site.unknown) - MOST_TOLD} more that are not in the catalogue"
    if site.unknown:
        yield f"    # {MARK} declare in `node_types` what of it carries accelerators"
    if not site.pools:
        yield f"    pools: []   # {MARK} node types that may run here"
        return
    yield "    pools:"
    for pool in site.pools:
        yield from _pool(pool)


def _pool(pool: DraftPool) -> Iterator[str]:
    told = f"{_number(pool.hours)} node-hours, {_number(pool.nodes)} at once on average, {_usd(pool.usd)}"
    yield f"      - node_type: {scalar(pool.node_type)}   # {told}"
    for use in pool.commitments:
        yield f"        # committed: {_commitment(use)}"
        yield f"        # {MARK} until when? commitments: [{{{_terms(pool, use)}}}]"


def _terms(pool: DraftPool, use: CommitmentUse) -> str:
    """What is known of a commitment to these nodes alone, as the estate declares it."""
    share = use.utilisation
    if use.category != "Usage" or len(use.node_types) != 1 or not share or not use.used_hours or not pool.nodes:
        return "nodes: N, ends: YYYY-MM, usd_per_hour: USD"
    nodes = use.used_hours / share / (pool.hours / pool.nodes)
    rate = amount_text(round(use.used_usd / use.used_hours, 6))
    return f"nodes: {amount_text(round(nodes, 2))}, ends: YYYY-MM, usd_per_hour: {rate}"


def _workloads(draft: EstateDraft) -> Iterator[str]:
    yield ""
    yield f"# A bill counts node-hours, not requests. {MARK} for each: if it answers requests, make it `inference`,"
    yield "# `batch_inference` or `embedding` with a `model` and its demand (`tripoint demand fit` reads logs);"
    yield "# then its `slo`, `callers`, `regimes`, `recovery` and growth."
    yield (
        "workloads:" if draft.workloads else f"workloads: []   # {MARK} no node the catalogue knows ran: say what does"
    )
    for workload in draft.workloads:
        yield from _workload(workload)


def _workload(workload: DraftWorkload) -> Iterator[str]:
    group = f"`{_line(workload.group)}` in the bill" if workload.group else f"{MARK} whose? the bill does not say"
    yield f"  - id: {scalar(workload.id)}   # {group}"
    yield f"    kind: training   # {MARK}"
    hours, accelerator = _number(workload.gpu_hours_per_month).replace(",", ""), scalar(workload.accelerator)
    yield f"    demand: {{gpu_hours_per_month: {hours}, reference_accelerator: {accelerator}}}"
    if len({share.site for share in workload.today}) > 1:
        yield "    is_indivisible: false   # it ran in several places"
    yield "    today:"
    for share in workload.today:
        where = f"site: {scalar(share.site)}, node_type: {scalar(share.node_type)}, option: {share.option}"
        yield f"      - {{{where}, share: {amount_text(share.share)}}}"


def _commitment(use: CommitmentUse) -> str:
    used = f"use not known: {why_not_known(use)}"
    if use.utilisation is not None:
        used = f"{use.utilisation:.1%} of {_usd(use.used_usd + use.unused_usd)} used"
    return f"{_line(use.type or 'commitment')} {_line(use.id)}, {used}"


def _usd(usd: Decimal) -> str:
    return f"{usd:,.2f} USD"


def _number(number: Decimal) -> str:
    """Two digits behind the point, more where it would be 0."""
    return f"{number:,.2f}" if number >= Decimal("0.01") or not number else f"{number:.2g}"


def _line(text: str) -> str:
    """A text of the bill in a comment: on one line, whatever it holds."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())
