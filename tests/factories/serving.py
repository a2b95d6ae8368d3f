"""Small routing tables: targets, candidates, routes and tables with every field filled in sensibly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tripoint.domain.money import Tariff
from tripoint.domain.serving import Api, Dialect, Shifting
from tripoint.domain.table import Candidate, KeyEntry, Route, RoutingTable, Target, TokenPrice
from tripoint.engines.gateway.table.tariffs.rows import tariff_of

OPENAI_APIS = (Api.CHAT, Api.COMPLETIONS, Api.EMBEDDINGS, Api.RESPONSES)


def price(usd_in_per_mtok: float = 1.0, usd_out_per_mtok: float = 2.0) -> TokenPrice:
    """A token price from USD per million tokens; cached input tokens cost half."""
    return TokenPrice(usd_in=usd_in_per_mtok / 1e6, usd_out=usd_out_per_mtok / 1e6, usd_cached=usd_in_per_mtok / 2e6)


def tariff(usd_in_per_mtok: float = 1.0, usd_out_per_mtok: float = 2.0, row: str = "chat/a/llama") -> Tariff:
    """The exact row of `price`."""
    return tariff_of(row, price(usd_in_per_mtok, usd_out_per_mtok))


def target(id: str = "a", *, slot: int = 0, site: str = "", **fields: Any) -> Target:
    """An OpenAI-compatible target on loopback, at the site of its own name unless told."""
    made = Target(
        id=id, slot=slot, site=site or f"site-{id}", layer="dense", kind="colo", provider="own", country="DE",
        dialect=Dialect.OPENAI, is_tls=False, host="127.0.0.1", port=9000 + slot, base_path="/v1", apis=OPENAI_APIS,
        max_concurrency=8,
    )  # fmt: skip
    return replace(made, **fields)


def candidate(at: int = 0, *, share: float = 0.0, usd: float = 1.0, **fields: Any) -> Candidate:
    """A candidate on target `at`; `usd` is its price of a million input tokens, output costs twice that."""
    row = tariff(usd, 2 * usd, f"chat/{at}/llama")
    made = Candidate(
        target=at, model="llama", name="llama", share=share, price=price(usd, 2 * usd), tariff=row, list_tariff=row,
        marginal=row, firm=tariff(0.0, 0.0, row.id), basis="test",
    )  # fmt: skip
    return replace(made, **fields)


def route(*candidates: Candidate, workload: str = "chat", labels: Sequence[str] = (), **fields: Any) -> Route:
    """A route of priority 3 without objectives; every label allows every candidate."""
    made = Route(
        workload=workload, model="llama", candidates=candidates,
        allowed={label: tuple(range(len(candidates))) for label in labels},
        priority=3, ttft_ms=None, tpot_ms=None, tokens_out=100,
    )  # fmt: skip
    return replace(made, **fields)


def table(
    targets: Sequence[Target], routes: Sequence[Route], *, keys: Sequence[KeyEntry] = (), **fields: Any
) -> RoutingTable:
    """A routing table with the defaults of `Serving`, without hedging; labels are those its routes know."""
    made = RoutingTable(
        name="test", estate_digest="sha256:0", plan_digest="sha256:1", prices="p1", targets=tuple(targets),
        routes=tuple(routes),
        keys=tuple(keys), labels=tuple(sorted({label for each in routes for label in each.allowed})),
        retry_share=0.1, deadline_s=600.0, first_byte_s=60.0, stall_s=30.0, shifting=Shifting(), hedging=None,
        prefix_affinity=True,
    )  # fmt: skip
    return replace(made, **fields)


def two_sites(**fields: Any) -> RoutingTable:
    """One workload `chat` on two targets, `a` (60 %) and `b` (40 %), equally dear."""
    targets = (target("a", slot=0), target("b", slot=1))
    return table(targets, (route(candidate(0, share=0.6), candidate(1, share=0.4)),), **fields)
