from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from tripoint.apps import stores, wiring
from tripoint.apps.hybrid.callers.tally import Tally
from tripoint.apps.hybrid.children.gateway import last_words
from tripoint.apps.hybrid.children.leash import tie_to
from tripoint.apps.hybrid.run import leave_caller
from tripoint.apps.hybrid.run_folder import STREAMS, template_estate, with_ports, write_run
from tripoint.apps.hybrid.screen.keys import Keys
from tripoint.apps.hybrid.summary import Failovers, Kill, Summary, failovers_of
from tripoint.apps.hybrid.tenants import PAYERS, Spent, open_accounts, spent_by
from tripoint.domain.errors import InternalError
from tripoint.domain.record import AttemptRecord, Usage, UsageRecord
from tripoint.engines.governance.access.keys import key_digest


def test_a_run_serves_the_template_on_the_ports_found(tmp_path: Path) -> None:
    """Every address is replaced, the estate has no errors and its plan is its own."""
    ports = {upstream.id: 20_000 + number for number, upstream in enumerate(template_estate().estate.serving.upstreams)}
    run = write_run(tmp_path, {str(name): port for name, port in ports.items()})
    loaded = wiring.load_estate(run.estate)
    assert {each.id: each.url for each in loaded.estate.serving.upstreams} == {
        name: f"http://127.0.0.1:{port}/v1" for name, port in ports.items()
    }
    plan = wiring.read_plan(run.plan)
    assert plan.estate_digest == loaded.digest
    assert set(run.secrets) == {stream.key for stream in STREAMS}


def test_a_run_has_tenants_with_keys_and_budgets_in_a_store(tmp_path: Path) -> None:
    """Each key opens as its tenant and is its file's content; the store knows keys only by their digests."""
    store = f"sqlite:///{tmp_path / 'store.db'}"
    made = open_accounts(store, template_estate().estate, tmp_path / "keys")
    assert len(set(made.values())) == len(PAYERS) == 4
    books = stores.open_accounts(store)
    accounts, pepper = books.accounts(0.0), stores.open_pepper(books, store)
    books.close()
    by_digest = {key.digest: key for key in accounts.keys}
    for payer in PAYERS:
        key = by_digest[key_digest(pepper, made[payer.tenant])]
        assert (key.tenant, key.workloads) == (payer.tenant, (payer.workload,) if payer.workload else ())
        assert key.only_at == payer.only_at
        file = tmp_path / "keys" / payer.tenant
        assert file.read_text(encoding="utf-8") == made[payer.tenant]
        assert file.stat().st_mode & 0o077 == 0
    assert {each.scope.tenant: each.limit_nano for each in accounts.budgets} == {
        payer.tenant: payer.limit_nano for payer in PAYERS
    }
    limited = {stream.key for stream in STREAMS if stream.is_limited}
    assert {each.scope.tenant for each in accounts.budgets if each.is_enforced} - {"indexer"} == limited == {"trial"}
    assert [(each.tenant, each.nano) for each in spent_by(store)] == [(payer.tenant, 0) for payer in PAYERS]


def test_a_template_that_does_not_fit_is_a_bug_told() -> None:
    """An upstream without an address."""
    with pytest.raises(InternalError, match="edge-9"):
        with_ports("serving:\n", {"edge-9": 1})


def test_keys_ask_which_site() -> None:
    """`k` and `r` want a site by number or by first letter; anything else is nothing."""
    done: list[tuple[str, str]] = []
    keys = Keys(("cloud", "dense", "edge"), lambda verb, site: done.append((verb, site)))
    for key in ("x", "k", "3", "r", "d", "k", "x", "k", "0", "q"):
        keys.press(key)
        assert bool(keys.prompt) is (key in "kr")
    assert done == [("kill", "edge"), ("revive", "dense"), ("quit", "")]


def record(workload: str, *attempts: tuple[str, str, float], ending: str = "ok") -> UsageRecord:
    """A record with attempts of site, failure and start."""
    tried = tuple(
        AttemptRecord(f"{site}-1", site, "m", "plan", at, 0.1, 200, failure) for site, failure, at in attempts
    )
    return UsageRecord(
        id="1", at=1.0, tenant="default", key="web", workload=workload, model="m", api="chat", site="dense",
        upstream="dense-1", status=200, ending=ending, error="", is_stream=False, usage=Usage(1, 1), ttft_s=0.1,
        tpot_s=0.0, total_s=0.2, own_s=0.0, reason="plan", nano=0, list_nano=0, marginal_nano=0, tariff="",
        prices="", trace_id="0" * 32, attempts=tried,
    )  # fmt: skip


def test_failovers_and_strays_are_read_from_every_attempt() -> None:
    """Answered requests with a failed attempt count as failed over; an attempt at a forbidden site always tells."""
    found = failovers_of(
        [
            record("assistant", ("cloud", "", 0.0)),
            record("assistant", ("edge", "connect", 0.0), ("dense", "", 0.004)),
            record("claims-eu", ("edge", "reset", 0.0), ("dense", "", 0.002)),
            record("claims-eu", ("cloud", "connect", 0.0), ("dense", "", 0.001)),
            record("assistant", ("edge", "connect", 0.0), ("dense", "reset", 0.5), ending="failed"),
        ],
        {"claims-eu": frozenset({"cloud"})},
    )
    assert found == Failovers(requests=3, worst_s=0.004, strayed=1, records=5)


def summary(*, after: dict[str, int], lost: int = 0, revived: bool = False) -> Summary:
    """A run whose edge was killed."""
    tally = Tally(sent=10 + sum(after.values()) + lost, answered=10 + sum(after.values()))
    tally.by_site = {"before": Counter(edge=4, dense=6), "after": Counter(after)}
    tally.by_workload = {"assistant": Counter(edge=4, dense=6 + after.get("dense", 0))}
    tally.faults = Counter({"cut": lost} if lost else {})
    kill = Kill(site="edge", at_s=4.0, is_revived=revived, opened_after_s=0.41)
    return Summary(seconds=12.0, tally=tally, kills=[kill], failovers=Failovers(requests=2, worst_s=0.0042))


def test_the_verdict() -> None:
    """Yes only where nothing is lost and the others serve on without the dead one."""
    assert summary(after={"dense": 8}).ok
    assert not summary(after={"dense": 8}, lost=1).ok
    assert not summary(after={}).ok
    assert not summary(after={"dense": 8, "edge": 1}).ok
    assert summary(after={"dense": 8, "edge": 1}, revived=True).ok
    fallen = summary(after={"dense": 8})
    fallen.fallen = ("the model server of dense-1",)
    assert not fallen.ok
    assert "dense-1 ended by itself" in fallen.text()


def test_the_summary_says_who_served_before_and_after() -> None:
    """As text and as JSON, with the same figures."""
    told = summary(after={"dense": 8}, lost=1)
    text, payload = told.text(), told.payload()
    assert "19 requests in 12 s: 18 answered, 1 lost, 0 where policy forbids it" in text
    assert "before the kill: dense 6, edge 4" in text
    assert "after the kill: dense 8" in text
    assert "edge was killed after 4.0 s; its circuit breaker opened 0.4 s later" in text
    assert "2 requests hit a dead site and were answered elsewhere, tried within 4.2 ms" in text
    assert max(map(len, text.splitlines())) <= 110
    assert payload["requests"] == {"sent": 19, "answered": 18, "lost": 1, "refused": 0, "strayed": 0}
    assert payload["by_site"] == {"before": {"edge": 4, "dense": 6}, "after": {"dense": 8}}
    assert payload["kills"] == [{"site": "edge", "at_s": 4.0, "breaker_open_after_s": 0.41}]
    told.failovers = Failovers()
    assert "no request hit a dead site" in told.text()


def test_what_tenants_spent_is_told() -> None:
    """In exact dollars, with the budget and who was refused for it; refusals for a budget are no losses."""
    told = summary(after={"dense": 8})
    told.tally.refused["trial"], told.tally.sent = 4, told.tally.sent + 4
    told.spent = (Spent("web", 0, None), Spent("trial", 759_120, 800_000), Spent("", 2_000_000_000, None))
    text = told.text()
    assert told.ok
    assert "  trial: 0.00075912 USD of a budget of 0.0008 USD; 4 refused for it" in text
    assert "  idle capacity: 2 USD" in text
    assert "web" not in text
    assert told.payload()["spent"] == {
        "web": {"usd": "0", "budget_usd": None},
        "trial": {"usd": "0.00075912", "budget_usd": "0.0008"},
        "idle": {"usd": "2", "budget_usd": None},
    }
    assert told.payload()["requests"]["refused"] == 4


def test_the_last_words_of_a_log(tmp_path: Path) -> None:
    """The last error, or the last line that says something."""
    log = tmp_path / "log"
    log.write_text("first\nlast words\n\n", encoding="utf-8")
    assert last_words(log) == "last words"
    log.write_text("error: port taken\nhint: another one\n", encoding="utf-8")
    assert last_words(log) == "port taken"
    log.write_text("", encoding="utf-8")
    assert last_words(log) == "it said nothing"


def test_a_child_is_tied_to_its_parent_or_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel is asked to tell of the parent's death; a parent that is gone already ends the child at once."""
    asked: list[tuple[int, ...]] = []

    class Library:
        """Stands for the C library, so that the test's own process is not tied to anything."""

        def prctl(self, *arguments: int) -> int:
            """Keeps what was asked."""
            asked.append(arguments)
            return 0

    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: Library())
    monkeypatch.setattr("sys.platform", "linux")
    tie_to(os.getppid())
    assert asked == [(1, signal.SIGTERM, 0, 0, 0)]
    with pytest.raises(SystemExit):
        tie_to(-1)


def test_a_run_leaves_the_callers_store_and_secrets_alone() -> None:
    """What the caller's estate is set up with means nothing to the hybrid, and is not written to."""
    environment = {
        "TRIPOINT_PEPPER_FILE": "theirs",
        "TRIPOINT_WITNESS": "theirs",
        "TRIPOINT_STORE": "theirs",
        "HOME": "/",
    }
    leave_caller(environment)
    assert environment == {"HOME": "/"}
