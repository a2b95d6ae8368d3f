"""Does a token-priced API serve a workload: right mode, long enough context, fast and near enough?

Speed of an API is the vendor's concern; without a measurement the catalogue's defaults for time to first
token and time per token stand in.
"""

from __future__ import annotations

import math

from tripoint.domain.catalog import ApiPrice
from tripoint.domain.fit import Fit, RefusalReason
from tripoint.domain.provenance import Figure
from tripoint.domain.purchase import Offer
from tripoint.domain.site import Site
from tripoint.domain.units import NodeTypeId, PoolId
from tripoint.domain.workload import WorkloadKind
from tripoint.engines.sizing.fit.desk import Desk, Errand, keyed
from tripoint.engines.sizing.verdict import Verdict


def api_fit(
    desk: Desk, errand: Errand, site: Site, api: str, offers: tuple[Offer, ...]
) -> tuple[Fit | Verdict, tuple[Figure, ...]]:
    """One workload on one token API sold at a site, policy already asked."""
    row = next((price for price in desk.catalog.api_prices if price.id == api), None)
    offer = next((offer for offer in offers if offer.node_type == api), None)
    rtt = desk.worst_rtt(errand.workload, site.id)
    ttft, tpot = desk.default("hosting.api_ttft_ms"), desk.default("hosting.api_tpot_ms")
    is_interactive = errand.workload.kind.is_interactive
    verdict = (_reads_enough(errand, row) if row is not None else None) or (
        _fast_enough(errand, api, (ttft, tpot, rtt)) if is_interactive else None
    )
    if verdict is not None:
        return verdict, ()
    if row is None or offer is None or row.mode != _mode(errand):
        return _no_price(errand, api, row), ()
    figures = keyed((ttft, tpot, rtt)) if is_interactive else ()
    fit = Fit(
        workload=errand.workload.id,
        site=site.id,
        pool=PoolId(f"{site.id}/{api}"),
        node_type=NodeTypeId(api),
        is_api=True,
        ttft_ms=ttft.value + (rtt.value if rtt is not None else 0.0) if is_interactive else None,
        tpot_ms=tpot.value if is_interactive else None,
        rtt_ms=rtt.value if rtt is not None else None,
        basis=tuple(figure.key for figure in figures),
    )
    return fit, figures


def _mode(errand: Errand) -> str:
    return "embedding" if errand.workload.kind is WorkloadKind.EMBEDDING else "chat"


def _reads_enough(errand: Errand, row: ApiPrice) -> Verdict | None:
    """The declared context for conversations, the mean request for the rest."""
    mean = errand.demand.input_tokens
    wanted = errand.spec.context_tokens if errand.spec is not None and _mode(errand) == "chat" else mean
    limit = row.max_input_tokens
    if limit is None or wanted <= limit:
        return None
    text = f"`{row.id}` reads at most {limit} tokens; the workload needs {math.ceil(wanted)}"
    return Verdict(reason=RefusalReason.CONTEXT, text=text, actual=float(wanted), limit=float(limit), unit="tokens")


def _fast_enough(errand: Errand, api: str, times: tuple[Figure, Figure, Figure | None]) -> Verdict | None:
    ttft, tpot, rtt = times
    slo = errand.workload.slo
    if slo.tpot_ms is not None and tpot.value > slo.tpot_ms:
        text = f"`{api}` takes about {tpot.value:g} ms per token (`{tpot.key}`); the objective is {slo.tpot_ms:g} ms"
        return Verdict(reason=RefusalReason.TPOT, text=text, actual=tpot.value, limit=slo.tpot_ms, unit="ms")
    way = rtt.value if rtt is not None else 0.0
    if slo.ttft_ms is not None and ttft.value + way > slo.ttft_ms:
        text = (
            f"first token after {ttft.value + way:.0f} ms ({way:g} ms round trip of the farthest caller, "
            f"{ttft.value:g} ms at `{api}`); the objective is {slo.ttft_ms:g} ms"
        )
        return Verdict(reason=RefusalReason.LATENCY, text=text, actual=ttft.value + way, limit=slo.ttft_ms, unit="ms")
    return None


def _no_price(errand: Errand, api: str, row: ApiPrice | None) -> Verdict:
    if row is not None and row.mode != _mode(errand):
        text = f"`{api}` is sold for {row.mode}; the workload needs {_mode(errand)}"
    else:
        text = f"no price for `{api}` here; the catalogue lists the API models it knows"
    return Verdict(reason=RefusalReason.NO_PRICE, text=text)
