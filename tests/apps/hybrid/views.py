"""A view with given values, for tests of what is drawn from it."""

from __future__ import annotations

from tripoint.apps.hybrid.screen.view import Event, SiteView, TenantView, UpstreamView, View


def site(name: str, layer: str, state: str, rate: float, ttft: float | None) -> SiteView:
    """A site with figures that follow from its rate."""
    return SiteView(
        site=name,
        layer=layer,
        state=state,
        requests_per_s=rate,
        tokens_per_s=42 * rate,
        ttft_p50_s=ttft,
        ttft_p95_s=None if ttft is None else 2.5 * ttft,
        usd_per_hour=rate * 0.00123,
        today_usd=rate * 0.00017,
        in_flight=round(rate / 3),
        capacity=8,
        past=tuple(rate * (1 + second % 5) / 5 for second in range(60)),
    )


def tenant(name: str, today: float, limit: float, *, window: str = "day", refused: int = 0) -> TenantView:
    """A tenant that spent what it spent today."""
    return TenantView(
        tenant=name, today_usd=today, spent_usd=today if limit else 0.0, limit_usd=limit, window=window, refused=refused
    )


def view(*, lost: int = 0, prompt: str = "", events: int = 12) -> View:
    """Seventy-five seconds into a run, the edge dead."""
    told = [
        Event(at_s=60.0, told="edge was killed", is_bad=True),
        Event(at_s=60.4, told="breaker of edge-1: open", is_bad=True),
        *(Event(at_s=61.0 + number, told=f"dense-1 took over {number + 2} requests") for number in range(20)),
    ]
    upstreams = {"cloud-1": "closed", "dense-1": "half_open", "edge-1": "open", "dense-embed-1": ""}
    return View(
        at_s=75.2,
        estate="hybrid",
        address="http://127.0.0.1:8080/v1",
        key_file="/tmp/tripoint-up-ab12/keys/web",
        is_ready=not lost,
        sites=(
            site("cloud", "public", "serving", 2.1, 0.0021),
            site("dense", "dense", "starting", 7.4, 0.0019),
            site("edge", "edge", "killed", 0.0, None),
        ),
        whole=site("all", "", "", 9.5, 0.002),
        upstreams=tuple(UpstreamView(upstream=name, breaker=state) for name, state in upstreams.items()),
        shares=(
            ("assistant", (("cloud-1", 0.185), ("dense-1", 0.815), ("edge-1", 0.0))),
            ("claims-eu", (("dense-1", 0.765), ("edge-1", 0.235))),
        ),
        tenants=(
            tenant("claims-desk", 0.00871, 0.01, window="month"),
            tenant("indexer", 0.000014, 0.01),
            tenant("trial", 0.000759, 0.0008, refused=31),
            tenant("web", 0.00124, 0.005),
            tenant("idle", 0.31, 0.0),
        ),
        models=(("idle", 0.31), ("pocket-chat", 0.0107), ("minilm", 0.000014)),
        sent=1543,
        answered=1510 - lost,
        lost=lost,
        refused=31,
        strayed=0,
        events=tuple(told[:events]),
        prompt=prompt,
    )
