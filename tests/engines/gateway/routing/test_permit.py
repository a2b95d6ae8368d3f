"""Policy before anything else: what may not serve is not there, and what is not known is not allowed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.factories.routing import Desk
from tests.factories.serving import candidate, route, table, target, two_sites

from tripoint.domain.serving import Api
from tripoint.engines.gateway.routing.router import Router


def labelled() -> Desk:
    """`a` for every label, `b` for `open` only; the label `nowhere` is known and allows nothing."""
    made = route(candidate(0, share=0.5), candidate(1, share=0.5), labels=("open", "eu"))
    made = replace(made, allowed={"open": (0, 1), "eu": (0,)})
    return Desk(table([target("a"), target("b", slot=1)], [made], labels=("eu", "nowhere", "open")))


def test_a_label_takes_candidates_away() -> None:
    """With every place free, a hundred requests of the stricter label find the same one."""
    desk = labelled()
    assert set(desk.serve(100, desk.query(label="open"))) == {"a", "b"}
    assert set(desk.serve(100, desk.query(label="eu"))) == {"a"}


def test_an_unknown_label_is_refused() -> None:
    """A misspelled classification is not an unclassified request."""
    desk = labelled()
    shed = desk.refused(desk.query(label="eu_onyl"))
    assert (shed.status, shed.code, shed.retry_after_s) == (403, "unknown_classification", 0.0)


def test_a_label_nobody_may_serve_is_refused() -> None:
    """A known one that allows nobody names the workload and nothing of anybody else."""
    desk = labelled()
    shed = desk.refused(desk.query(label="nowhere"))
    assert (shed.status, shed.code) == (403, "no_permitted_site")
    assert "`chat`" in shed.message
    assert "site-" not in shed.message


def test_unknown_labels_are_not_remembered() -> None:
    """A caller that makes them up does not fill memory."""
    desk = labelled()
    kinds = desk.router._kinds
    for number in range(100):
        desk.refused(desk.query(label=f"made-up-{number}"))
    assert len(kinds) == 0


def test_the_caller_is_confined_to_its_sites() -> None:
    """A key for one site reaches that site, a key for none reaches none."""
    desk = Desk(two_sites())
    assert set(desk.serve(50, desk.query(sites=frozenset({"site-b"})))) == {"b"}
    assert desk.refused(desk.query(sites=frozenset({"elsewhere"}))).code == "no_permitted_site"
    assert desk.refused(desk.query(sites=frozenset())).status == 403


def test_a_down_site_does_not_widen_the_set() -> None:
    """The permitted one is dead, the other idle: the request is refused, not sent there."""
    desk = labelled()
    desk.kill("a")
    desk.take(desk.query(label="eu"))  # the one request in panic
    shed = desk.refused(desk.query(label="eu"))
    assert (shed.status, shed.code) == (503, "no_healthy_upstream")


def test_an_interface_nobody_offers_is_not_found() -> None:
    """Neither policy's fault nor a matter of waiting."""
    desk = Desk(two_sites())
    narrow = [replace(each, apis=(Api.EMBEDDINGS,)) for each in desk.router.table.targets]
    desk.router.reload(replace(desk.router.table, targets=tuple(narrow)), 1.0)
    shed = desk.refused(desk.query(api=Api.COMPLETIONS))
    assert (shed.status, shed.code) == (404, "interface_not_offered")


def test_a_long_request_goes_where_it_fits() -> None:
    """Short ones are split, long ones go to the only place sized for them, longer ones nowhere."""
    ways = (candidate(0, share=0.5, context_tokens=1000), candidate(1, share=0.5, context_tokens=9000))
    desk = Desk(table([target("a"), target("b", slot=1)], [route(*ways)]))
    assert set(desk.serve(40, desk.query(tokens_in=900, tokens_out=100))) == {"a", "b"}
    assert set(desk.serve(40, desk.query(tokens_in=901, tokens_out=100))) == {"b"}
    shed = desk.refused(desk.query(tokens_in=9001, tokens_out=0))
    assert (shed.status, shed.code) == (400, "context_length_exceeded")
    assert "9001" in shed.message
    assert "9000" in shed.message


def test_an_unknown_size_takes_everything() -> None:
    """A candidate nobody sized for a context is not refused for it."""
    desk = Desk(two_sites())
    assert desk.take(desk.query(tokens_in=10_000_000)).target.id in "ab"


def test_what_must_come_out_the_same_goes_to_reproducible_upstreams_of_the_model() -> None:
    """Resumption has fewer places, and none at all in panic elsewhere."""
    ways = (candidate(0, share=1.0), candidate(1), candidate(2, model="other", is_fallback=True))
    targets = [target("a"), target("b", slot=1, is_reproducible=True), target("c", slot=2, is_reproducible=True)]
    desk = Desk(table(targets, [route(*ways)]))
    query = desk.query(must_reproduce=True)
    assert set(desk.serve(20, query)) == {"b"}
    shed = desk.refused(query, tried=[1])
    assert shed.status == 429
    only = Desk(table(targets[:1], [route(candidate(0, share=1.0))]))
    assert only.refused(only.query(must_reproduce=True)).code == "no_reproducible_upstream"


@pytest.mark.parametrize("must_reproduce", [False, True])
def test_a_refusal_stays_one_whatever_else_is_asked(must_reproduce: bool) -> None:
    """Length and reproducibility narrow what is left, and nothing is left of nothing."""
    desk = Desk(two_sites())
    shed = desk.refused(desk.query(sites=frozenset(), tokens_in=10**9, must_reproduce=must_reproduce))
    assert shed.status == 403


def test_a_reload_changes_policy_for_requests_under_way() -> None:
    """A request that came in under the old table fails over under the new one."""
    desk = Desk(two_sites())
    query = desk.query()
    first = desk.take(query)
    other = "b" if first.target.id == "a" else "a"
    kept = first.candidate.target
    stricter = replace(
        desk.router.table, routes=(replace(query.route, candidates=(query.route.candidates[kept],), allowed={}),)
    )
    desk.router.reload(stricter, 1.0)
    desk.fail(first)
    shed = desk.refused(query, tried=[first.index])
    assert shed.status == 429
    assert other not in desk.serve(20, query)


def test_a_workload_that_is_gone_is_not_found() -> None:
    """Its requests under way find nothing any more."""
    desk = Desk(two_sites())
    query = desk.query()
    desk.router.reload(replace(desk.router.table, routes=()), 1.0)
    shed = desk.refused(query)
    assert (shed.status, shed.code) == (404, "model_not_found")


def test_kinds_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many sets of sites callers have, memory is."""
    monkeypatch.setattr("tripoint.engines.gateway.routing.router._MAX_KINDS", 8)
    desk = Desk(two_sites())
    router: Router = desk.router
    for number in range(50):
        desk.serve(1, desk.query(sites=frozenset({"site-a", f"x{number}"})))
        assert len(router._kinds) <= 8
