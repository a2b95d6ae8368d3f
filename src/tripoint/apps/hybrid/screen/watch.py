"""Reads the gateway's own page of metrics, as any monitoring would, and tells what changed between two readings."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Final

from tripoint.apps.hybrid.callers.tally import Tally
from tripoint.apps.hybrid.screen.page import Page, Sample, gained, quantile
from tripoint.apps.hybrid.screen.view import Event, SiteView, TenantView, UpstreamView, View
from tripoint.domain.tenancy import WARN_AT

WINDOW_S: Final = 5.0
"""Rates are over this long."""
_QUANTILE_S: Final = 15.0
_PAST: Final = 60
_EVENTS: Final = 200
_REQUESTS: Final = "tripoint_requests_total"
_TTFT: Final = "tripoint_time_to_first_token_seconds"
_SPENT, _LIMIT = "tripoint_budget_spent_usd", "tripoint_budget_limit_usd"
_TODAY, _TODAY_AT = "tripoint_spend_today_usd", "tripoint_spend_today_by_site_usd"
_IDLE: Final = "idle"
_BREAKER: Final = "tripoint_upstream_breaker_state"
_UPSTREAMS: Final = "upstreams"
"""The part that is missing where any breaker is open; the others serve on."""


class Watch:
    """Keeps the last readings and makes views of them."""

    def __init__(
        self, estate: str, address: str, key_file: str, layers: Mapping[str, str], upstreams: Mapping[str, str]
    ) -> None:
        """`layers` by site, and the site of each of the `upstreams`, both in the order they are shown."""
        self._key_file = key_file
        self._estate = estate
        self._address = address
        self._layers = layers
        self._site_by_upstream = upstreams
        self._pages: deque[Page] = deque()
        self._past: dict[str, deque[float]] = {site: deque(maxlen=_PAST) for site in layers}
        self._sampled = float("-inf")
        self._breakers: dict[str, str] = {}
        self._events: deque[Event] = deque(maxlen=_EVENTS)
        self._refused: set[str] = set()
        self.opened_at: dict[str, float] = {}
        """When the breaker of an upstream was first seen open."""

    def tell(self, at_s: float, told: str, *, is_bad: bool = False) -> None:
        """Adds an event."""
        self._events.append(Event(at_s=at_s, told=told, is_bad=is_bad))

    def read(self, text: str, at_s: float) -> None:
        """Takes in a page of metrics."""
        page = Page(text, at_s)
        if self._pages:
            self._compare(page, self._pages[-1])
        self._pages.append(page)
        while len(self._pages) > 2 and self._pages[1].at <= at_s - _QUANTILE_S:
            self._pages.popleft()
        if at_s - self._sampled >= 1.0:
            self._sampled = at_s
            recent = self._since(1.5)
            for site, past in self._past.items():
                past.append(_rate(page, recent, _REQUESTS, site=site, ending="ok"))

    def view(self, at_s: float, tally: Tally, *, is_ready: bool, killed: set[str], prompt: str = "") -> View:
        """The run as it is now."""
        self._note_refusals(at_s, tally)
        sites = tuple(self._site(site, killed) for site in self._layers)
        return View(
            at_s=at_s,
            estate=self._estate,
            address=self._address,
            key_file=self._key_file,
            is_ready=is_ready,
            sites=sites,
            whole=self._whole(sites),
            upstreams=tuple(
                UpstreamView(upstream=name, breaker=self._breakers.get(name, "")) for name in self._site_by_upstream
            ),
            shares=self._shares(),
            tenants=self._tenants(tally),
            models=self._models(),
            sent=tally.sent,
            answered=tally.answered,
            lost=tally.lost,
            refused=tally.refused.total(),
            strayed=tally.strayed,
            events=tuple(self._events),
            prompt=prompt,
        )

    def _since(self, seconds: float) -> Page:
        """The oldest page within the last `seconds`, or the one just before."""
        newest = self._pages[-1]
        return next(page for page in self._pages if page.at >= newest.at - seconds)

    def _site(self, site: str, killed: set[str]) -> SiteView:
        names = [name for name, at in self._site_by_upstream.items() if at == site]
        shut = [name for name in names if self._breakers.get(name) == "open"]
        state = "killed" if site in killed else "shut" if shut and len(shut) == len(names) else "serving"
        if state == "serving" and any(self._breakers.get(name) == "half_open" for name in names):
            state = "starting"
        return self._figures(site, self._layers[site], state, tuple(self._past[site]), {"site": site})

    def _whole(self, sites: tuple[SiteView, ...]) -> SiteView:
        past = tuple(sum(column) for column in zip(*(site.past for site in sites), strict=False))
        return self._figures("all", "", "", past, {})

    def _figures(
        self, name: str, layer: str, state: str, past: tuple[float, ...], where: Mapping[str, str]
    ) -> SiteView:
        now = self._pages[-1] if self._pages else Page("", 0.0)
        before = self._since(WINDOW_S) if self._pages else now
        long_before = self._pages[0] if self._pages else now
        return SiteView(
            site=name,
            layer=layer,
            state=state,
            requests_per_s=_rate(now, before, _REQUESTS, ending="ok", **where),
            tokens_per_s=_rate(now, before, "tripoint_output_tokens_total", **where),
            ttft_p50_s=quantile(now, long_before, _TTFT, 0.50, **where),
            ttft_p95_s=quantile(now, long_before, _TTFT, 0.95, **where),
            usd_per_hour=_rate(now, before, "tripoint_cost_usd_total", **where) * 3600.0,
            today_usd=now.total(_TODAY_AT, **where),
            in_flight=int(now.total("tripoint_upstream_in_flight_requests", **where)),
            capacity=int(now.total("tripoint_upstream_capacity_requests", **where)),
            past=past,
        )

    def _shares(self) -> tuple[tuple[str, tuple[tuple[str, float], ...]], ...]:
        found: dict[str, list[tuple[str, float]]] = {}
        for sample in self._pages[-1].samples("tripoint_workload_share_ratio") if self._pages else []:
            found.setdefault(sample.labels["workload"], []).append((sample.labels["upstream"], sample.value))
        return tuple((workload, tuple(shares)) for workload, shares in found.items())

    def _tenants(self, tally: Tally) -> tuple[TenantView, ...]:
        """Who pays, from the newest page: the ledger tells, a second or two after the answer."""
        page = self._pages[-1] if self._pages else Page("", 0.0)
        today = {sample.labels["tenant"]: sample.value for sample in page.samples(_TODAY)}
        limits = page.samples(_LIMIT)
        found = []
        for name in sorted(
            {*today, *(sample.labels["tenant"] for sample in limits)}, key=lambda name: (not name, name)
        ):
            fullest = max(
                (_fill(page, sample) for sample in limits if sample.labels["tenant"] == name and name),
                key=lambda fill: fill[0] / fill[1] if fill[1] else 1.0,
                default=(0.0, 0.0, ""),
            )
            found.append(
                TenantView(
                    tenant=name or _IDLE,
                    today_usd=today.get(name, 0.0),
                    spent_usd=fullest[0],
                    limit_usd=fullest[1],
                    window=fullest[2],
                    refused=tally.refused[name],
                )
            )
        return tuple(found)

    def _models(self) -> tuple[tuple[str, float], ...]:
        found: dict[str, float] = {}
        for sample in self._pages[-1].samples(_TODAY_AT) if self._pages else []:
            name = sample.labels["model"] or _IDLE
            found[name] = found.get(name, 0.0) + sample.value
        return tuple(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def _note_refusals(self, at_s: float, tally: Tally) -> None:
        for name in tally.refused:
            if name not in self._refused:
                self._refused.add(name)
                self.tell(at_s, f"{name}: its budget has no room for another request; they are refused", is_bad=True)

    def _compare_budgets(self, now: Page, before: Page) -> None:
        for sample in now.samples(_LIMIT):
            spent, limit, window = _fill(now, sample)
            had, _, _ = _fill(before, sample)
            passed = max((each for each in WARN_AT if 100 * had < each * limit <= 100 * spent), default=0)
            if passed:
                self.tell(now.at, f"{sample.labels['tenant']}: {passed} % of its budget for the {window} is spent")

    def _compare(self, now: Page, before: Page) -> None:
        """Events that a second reading gives away."""
        self._compare_budgets(now, before)
        for sample in now.samples(_BREAKER):
            name, state = sample.labels["upstream"], sample.labels["state"]
            if sample.value == 1.0 and self._breakers.get(name) != state:
                if name in self._breakers or state != "closed":
                    self.tell(now.at, f"breaker of {name}: {state.replace('_', ' ')}", is_bad=state == "open")
                self._breakers[name] = state
                if state == "open":
                    self.opened_at.setdefault(name, now.at)
        for name in self._site_by_upstream:
            for reason, told in (
                ("failover", "took over"),
                ("resume", "went on with"),
                ("retry", "was asked again for"),
            ):
                count = gained(now, before, "tripoint_attempts_total", upstream=name, reason=reason)
                if count:
                    self.tell(now.at, f"{name} {told} {count:.0f} {'request' if count == 1 else 'requests'}")
        for sample in now.samples("tripoint_shifts_total"):
            if gained(now, before, "tripoint_shifts_total", **sample.labels):
                where = sample.labels
                self.tell(now.at, f"{where['workload']}: traffic moved from {where['source']} to {where['target']}")
        for sample in now.samples("tripoint_degraded"):
            if sample.value > before.total("tripoint_degraded", **sample.labels):
                part = sample.labels["part"]
                missing = "some of its upstreams" if part == _UPSTREAMS else part.replace("_", " ")
                self.tell(now.at, f"serving goes on without {missing}", is_bad=True)


def _fill(page: Page, limit: Sample) -> tuple[float, float, str]:
    """Spent and limit of a budget, USD, and its window: ids end with it where nobody chose another."""
    return page.total(_SPENT, **limit.labels), limit.value, limit.labels["budget"].rpartition(".")[2]


def _rate(now: Page, before: Page, name: str, **where: str) -> float:
    """Growth a second between two pages; 0 where they are one."""
    return gained(now, before, name, **where) / (now.at - before.at) if now.at > before.at else 0.0
