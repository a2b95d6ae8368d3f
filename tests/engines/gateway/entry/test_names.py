"""Which workload is meant: doubt is refused, and nobody learns what is not theirs."""

from __future__ import annotations

from tests.factories.serving import candidate, route

from tripoint.domain.table import Route
from tripoint.engines.gateway.entry.keyring import Principal
from tripoint.engines.gateway.entry.names import Names, Unnamed

NAMES = Names(
    (
        route(candidate(), workload="chat-eu"),
        route(candidate(), workload="chat-us"),
        route(candidate(), workload="embed", model="minilm"),
    )
)
ANYBODY = Principal("k", "t", None, None)
EUROPE = Principal("k", "t", frozenset({"chat-eu"}), None)


def test_a_workload_is_a_name() -> None:
    """The plainest way."""
    found = NAMES.resolve("chat-eu", None, ANYBODY)
    assert isinstance(found, Route)
    assert found.workload == "chat-eu"


def test_a_model_will_do_where_it_decides_the_workload() -> None:
    """For the caller at hand: another key may see two."""
    alone = NAMES.resolve("minilm", None, ANYBODY)
    mine = NAMES.resolve("llama", None, EUROPE)
    assert isinstance(alone, Route)
    assert isinstance(mine, Route)
    assert (alone.workload, mine.workload) == ("embed", "chat-eu")


def test_a_model_of_two_workloads_is_refused_with_both_names() -> None:
    """The workload decides policy, so it is never guessed."""
    found = NAMES.resolve("llama", None, ANYBODY)
    assert isinstance(found, Unnamed)
    assert found.status == 400
    assert "`chat-eu`" in found.message
    assert "`chat-us`" in found.message


def test_the_header_settles_it() -> None:
    """Model and workload must agree."""
    found = NAMES.resolve("llama", "chat-us", ANYBODY)
    assert isinstance(found, Route)
    assert found.workload == "chat-us"
    wrong = NAMES.resolve("minilm", "chat-us", ANYBODY)
    assert isinstance(wrong, Unnamed)
    assert (wrong.status, wrong.code) == (400, "wrong_model")


def test_what_is_not_yours_looks_like_what_does_not_exist() -> None:
    """Same status, same code, same words."""
    foreign = NAMES.resolve("chat-us", None, EUROPE)
    absent = NAMES.resolve("no-such", None, EUROPE)
    named = NAMES.resolve("llama", "chat-us", EUROPE)
    assert isinstance(foreign, Unnamed)
    assert isinstance(absent, Unnamed)
    assert foreign.message.replace("chat-us", "no-such") == absent.message
    assert named == foreign
    assert [each.workload for each in NAMES.offered(EUROPE)] == ["chat-eu"]
