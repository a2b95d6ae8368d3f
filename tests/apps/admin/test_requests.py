"""How requests are read and answered: strictly, with the place of what is wrong, and nothing overwritten or doubled."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests.factories.administering import AdminWorld

from tripoint.apps.admin.wire.problems import HINTS, STATUSES, TITLES, RefusedError, problem_of
from tripoint.apps.admin.wire.reading import MAX_BODY
from tripoint.domain.errors import EstateError, StoreError, TripointError

NEW = {"id": "umbrella", "name": "Umbrella"}


@pytest.mark.parametrize(
    ("body", "place", "told"),
    [
        ({}, "body", "missing required field `id`"),
        ({"id": "a", "plan": "gold"}, "body", "unknown field `plan`"),
        ({"id": 7}, "body.id", "not `7`"),
        ({"id": ""}, "body.id", "length >= 1"),
        ({"id": "a" * 64}, "body.id", "length <= 63"),
        ({"id": "A b"}, "body.id", "not `A b`"),
        ([], "body", "expected `object`"),
        (None, "header.content-type", "application/json"),
    ],
)
def test_a_body_that_is_wrong_is_told_with_its_place(world: AdminWorld, body: Any, place: str, told: str) -> None:
    """The field, what was expected and what came."""
    found = world.call("admin", "POST", "/v1/tenants", body)
    assert found.status == (415 if body is None else 400)
    assert found.content["place"] == place
    assert told in found.content["detail"]
    assert found.headers["content-type"] == "application/problem+json"


def test_all_that_is_wrong_with_a_body_is_told_at_once(world: AdminWorld) -> None:
    """Unknown, missing, of the wrong kind, out of bounds, deep in a list: each with its place; the first is told."""
    body = {"tenant": 7, "nme": "shop", "expires_at": -1, "workloads": ["chat", 3, ""]}
    found = world.call("admin", "POST", "/v1/keys", body)
    assert found.status == 400
    places = [each["place"] for each in found.content["errors"]]
    assert places == ["body", "body", "body.tenant", "body.workloads[1]", "body.workloads[2]", "body.expires_at"]
    told = [each["detail"] for each in found.content["errors"]]
    assert "unknown field `nme`" in told[0]
    assert "missing required field `name`" in told[1]
    assert told[3].endswith("expected `str`, got `int`, not `3`")
    assert found.content["detail"] == f"{told[0]}; 5 more in `errors`"
    assert found.content["place"] == "body"


def test_all_that_is_wrong_with_a_query_is_told_at_once(world: AdminWorld) -> None:
    """Likewise; who sends a thousand mistakes is told of twenty."""
    found = world.call("admin", "GET", "/v1/entries?limit=0&limt=1&since=nan&tenant=a&tenant=b")
    assert [each["place"] for each in found.content["errors"]] == [
        "query.limit", "query.limt", "query.since", "query.tenant",
    ]  # fmt: skip
    many = world.call("admin", "POST", "/v1/tenants", {f"x{number}": 1 for number in range(1000)})
    assert len(many.content["errors"]) == 20
    assert world.call("admin", "GET", "/v1/tenants/nobody").content["errors"] == []


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("limit=0", "query.limit"),
        ("limit=501", "query.limit"),
        ("limit=ten", "query.limit"),
        ("limit=1&limit=2", "query.limit"),
        ("limt=1", "query.limt"),
        ("after=" + "a" * 201, "query.after"),
        ("after=" + "a" * 5000, "query"),
    ],
)
def test_a_query_that_is_wrong_is_told_with_its_place(world: AdminWorld, query: str, place: str) -> None:
    """Unknown and doubled parameters are refused like bad ones."""
    found = world.call("admin", "GET", f"/v1/tenants?{query}")
    assert (found.status, found.content["place"]) == (400, place)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "null", "1e999", "-1", ""])
def test_instants_are_finite_numbers(world: AdminWorld, value: str) -> None:
    """No spelling of a number gets past the bounds."""
    assert world.call("admin", "GET", f"/v1/entries?since={value}").status == 400


@pytest.mark.enable_socket
@pytest.mark.parametrize("world", ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)], indirect=True)
def test_a_character_no_store_keeps_is_the_callers_mistake(world: AdminWorld) -> None:
    """U+0000 finds nothing in a filter and is refused in a body; it never looks like a store that is gone."""
    for path in ("/v1/tenants?after=%00", "/v1/spend?tenant=%00", "/v1/entries?workload=a%00b", "/v1/audit?tenant=%00"):
        assert world.call("admin", "GET", path).status in (200, 404), path
    for path in ("/v1/tenants/%00", "/v1/keys/a%00b", "/v1/budgets/%ff"):
        assert world.call("admin", "GET", path).status == 404, path
    for name, text in (("key", "a\0b"), ("workload", "\0")):
        found = world.call("admin", "POST", "/v1/quotas", {"tenant": "acme", "concurrency": 1, name: text})
        assert (found.status, found.content["place"]) == (422, "body")


def test_the_word_null_is_a_name_like_others(world: AdminWorld) -> None:
    """A filter for the tenant `null` is no filter left out."""
    found = world.call("admin", "GET", "/v1/keys?tenant=null")
    assert found.status == 404


@pytest.mark.parametrize("body", [b'{"id": "a"', b"\xff\xfe", b"", b"[" * 5000, b'{"id": "\\ud800"}', b"nan"])
def test_what_is_no_json_is_refused(world: AdminWorld, body: bytes) -> None:
    """Broken, empty, too deep."""
    headers = {"authorization": f"Bearer {world.credentials['admin']}", "content-type": "application/json"}
    found = world.client.post("/v1/tenants", content=body, headers=headers)
    assert found.status_code == 400


def test_a_body_that_is_too_long_is_not_read_to_its_end(world: AdminWorld) -> None:
    """413 with the limit."""
    found = world.call("admin", "POST", "/v1/tenants", {"id": "a", "name": "x" * MAX_BODY})
    assert found.status == 413
    assert f"{MAX_BODY:,}" in found.content["detail"]


def test_a_request_without_a_body_takes_none(world: AdminWorld) -> None:
    """What would be ignored is refused."""
    assert world.call("admin", "POST", "/v1/checkpoints", {"x": 1}).status == 400


def test_an_unknown_address_and_an_unknown_method(world: AdminWorld) -> None:
    """404 and 405, both problems; 405 names what there is."""
    assert world.call("admin", "GET", "/v1/nothing").status == 404
    assert world.call("admin", "GET", "/v1/tenants/").status == 404
    found = world.call("admin", "DELETE", "/v1/tenants")
    assert (found.status, found.headers["allow"]) == (405, "GET, HEAD, POST")
    assert world.call("admin", "TRACE", "/v1/tenants").status == 405


def test_money_is_exact(world: AdminWorld) -> None:
    """To the nano-dollar, never a float."""
    body = {"tenant": "acme", "window": "day", "limit_usd": "1234567890.123456789"}
    made = world.call("admin", "POST", "/v1/budgets", body)
    assert made.status == 422  # beyond the most a budget may be
    body["limit_usd"] = "0.100000001"
    assert world.call("admin", "POST", "/v1/budgets", body).content["limit_usd"] == "0.100000001"
    for wrong in ("1e3", "-1", "1.0000000001", " 1", "1\n", "", "01", ".5", 5, 0.1):
        assert world.call("admin", "POST", "/v1/budgets", {**body, "limit_usd": wrong}).status in (400, 422), wrong


def test_nobody_overwrites_what_he_has_not_seen(world: AdminWorld) -> None:
    """Two read, the first changes, the second is told; `*` means whatever is there."""
    seen = world.call("admin", "GET", "/v1/tenants/acme").tag
    assert world.call("admin", "PUT", "/v1/tenants/acme/name", {"name": "A"}).status == 428
    first = world.call("admin", "PUT", "/v1/tenants/acme/name", {"name": "First"}, if_match=seen)
    second = world.call("admin", "PUT", "/v1/tenants/acme/name", {"name": "Second"}, if_match=seen)
    assert (first.status, second.status) == (200, 412)
    assert second.content["place"] == "header.if-match"
    assert world.call("admin", "GET", "/v1/tenants/acme").content["name"] == "First"
    assert world.call("admin", "PUT", "/v1/tenants/acme/name", {"name": "Third"}, if_match="*").status == 200
    assert world.call("admin", "PUT", "/v1/tenants/acme/name", {"name": "4"}, if_match=first.tag).status == 412


def test_the_tag_of_a_change_is_that_of_the_next_read(world: AdminWorld) -> None:
    """So a caller can go on without reading again."""
    made = world.call("admin", "POST", "/v1/tenants", NEW)
    assert made.tag == world.call("admin", "GET", "/v1/tenants/umbrella").tag
    changed = world.call("admin", "PUT", "/v1/tenants/umbrella/name", {"name": "U"}, if_match=made.tag)
    assert changed.tag == world.call("admin", "GET", "/v1/tenants/umbrella").tag


def test_a_creation_that_is_repeated_makes_nothing_twice(world: AdminWorld) -> None:
    """The same key, caller and content: the same answer. Another caller's same key is another's."""
    first = world.call("admin", "POST", "/v1/tenants", NEW, idempotency_key="k1")
    again = world.call("admin", "POST", "/v1/tenants", NEW, idempotency_key="k1")
    assert (first.status, again.status) == (201, 201)
    assert first.content == again.content
    assert (first.headers.get("idempotency-replayed"), again.headers.get("idempotency-replayed")) == (None, "true")
    other = world.call("admin", "POST", "/v1/tenants", {"id": "other"}, idempotency_key="k1")
    assert (other.status, other.content["place"]) == (422, "header.idempotency-key")
    assert world.call("admin", "POST", "/v1/tenants", NEW, idempotency_key="k2").status == 409


@pytest.mark.parametrize("key", ["", "a b", "a\tb", "k" * 256])
def test_an_idempotency_key_is_what_the_document_says(world: AdminWorld, key: str) -> None:
    """Anything else is refused before anything is made."""
    found = world.call("admin", "POST", "/v1/tenants", NEW, idempotency_key=key)
    assert (found.status, found.content["place"]) == (400, "header.idempotency-key")
    assert world.call("admin", "POST", "/v1/tenants", NEW, idempotency_key="k" * 255).status == 201


def test_an_idempotency_key_is_its_callers_own(world: AdminWorld) -> None:
    """Two tenants that use the same one get a key each, and neither sees the other's."""
    made = []
    for tenant in ("acme", "globex"):
        for _ in range(2):
            body = {"name": "shop", "tenant": tenant}
            found = world.call(f"{tenant}.operator", "POST", "/v1/keys", body, idempotency_key="k")
            assert (found.status, found.content["tenant"]) == (201, tenant)
            made.append(found.content["id"])
    assert len(set(made)) == 2
    assert made[0] == made[1]
    assert made[2] == made[3]


def test_a_key_that_is_asked_for_twice_is_one_and_shown_once(world: AdminWorld) -> None:
    """The repetition names it without its secret; a rotation likewise."""
    body = {"name": "shop", "tenant": "acme"}
    first = world.call("admin", "POST", "/v1/keys", body, idempotency_key="k")
    again = world.call("admin", "POST", "/v1/keys", body, idempotency_key="k")
    assert first.content["secret"].startswith(f"tp_{first.content['id']}_")
    assert again.content == {**first.content, "secret": None}
    where = f"/v1/keys/{first.content['id']}"
    tag = world.call("admin", "GET", where).tag
    turned = world.call("admin", "POST", f"{where}/rotation", {"overlap_s": 5}, if_match=tag, idempotency_key="r")
    same = world.call("admin", "POST", f"{where}/rotation", {"overlap_s": 5}, if_match=tag, idempotency_key="r")
    assert same.content == {**turned.content, "secret": None}
    assert (
        len(world.call("admin", "GET", "/v1/keys?tenant=acme").content["items"]) == 7
    )  # five principals', two of the shop


def test_pages_cover_everything_once(world: AdminWorld) -> None:
    """Following `next` gives each row once and ends."""
    for path in ("/v1/principals", "/v1/keys", "/v1/audit", "/v1/tenants"):
        whole = world.call("admin", "GET", f"{path}?limit=500").content["items"]
        seen: list[Any] = []
        after = ""
        while True:
            page = world.call("admin", "GET", f"{path}?limit=4{f'&after={after}' if after else ''}").content
            seen += page["items"]
            assert len(page["items"]) <= 4
            if page["next"] is None:
                break
            after = page["next"]
        assert seen == whole


def test_what_is_refused_changes_nothing(world: AdminWorld) -> None:
    """No audit entry, no row."""
    before = world.stores.accounts.revision()
    world.call("admin", "POST", "/v1/tenants", {"id": "acme"})
    world.call("developer", "POST", "/v1/tenants", NEW)
    world.call("admin", "PUT", "/v1/tenants/acme/name", {"name": "x"}, if_match='"0"')
    world.call("admin", "POST", "/v1/keys", {"name": "x", "tenant": "nobody"})
    assert world.stores.accounts.revision() == before


def test_every_change_is_in_the_audit_log_under_who_made_it(world: AdminWorld) -> None:
    """With the actor of the credential, and no secret."""
    made = world.call("acme.admin", "POST", "/v1/keys", {"name": "shop", "tenant": "acme"})
    entry = world.call("admin", "GET", "/v1/audit?limit=500").content["items"][-1]
    assert (entry["actor"], entry["action"], entry["subject"]) == ("acme.admin", "key.create", made.content["id"])
    assert made.content["secret"] not in json.dumps(entry)
    assert world.call("admin", "GET", "/v1/audit/verification").content["is_good"] is True


def test_every_answer_carries_its_headers(world: AdminWorld) -> None:
    """Good or bad, known or not: no caching, no framing, an id that is in the log too."""
    asked = (("admin", "GET", "/v1/me"), (None, "GET", "/v1/me"), (None, "GET", "/x"), ("admin", "DELETE", "/v1/me"),
             (None, "GET", "/healthz"), (None, "GET", "/openapi.json"))  # fmt: skip
    for who, method, path in asked:
        found = world.call(who, method, path)
        assert found.headers["cache-control"] == "no-store"
        assert found.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in found.headers["content-security-policy"]
        assert "Authorization" in found.headers["vary"]
        assert found.headers["x-request-id"] == world.lines[-1].request
        assert not [name for name in found.headers if name.startswith("access-control")]
        if found.status >= 400:
            assert found.content["request"] == found.headers["x-request-id"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:81", "https://127.0.0.1"])
def test_pages_of_other_origins_may_not_call(world: AdminWorld, origin: str) -> None:
    """Neither with a credential nor for what anybody may ask."""
    assert world.call("admin", "GET", "/v1/me", origin=origin).status == 403
    assert world.call(None, "OPTIONS", "/v1/me", origin=origin).status == 403
    assert world.call("admin", "GET", "/v1/me", origin="http://127.0.0.1").status == 200


def test_no_secret_is_in_any_error_or_log_line(world: AdminWorld) -> None:
    """A key as a name, in an address, in the wrong header, in a broken body, as a token: it comes back nowhere."""
    key = world.credentials["admin"]
    secret = key.split("_")[2]
    for method, path, body, headers in (
        ("GET", f"/v1/keys/{key}", None, {}),
        ("GET", f"/v1/{key}", None, {}),
        ("POST", "/v1/first-admin", {"token": key, "principal": "x"}, {}),
        ("POST", "/v1/first-admin", {"token": [key], "principal": "x"}, {}),
        ("GET", "/v1/me", None, {"authorization": f"Basic {key}"}),
        ("GET", "/v1/me", None, {"authorization": f"Bearer {key}x"}),
        ("GET", "/v1/me", None, {"authorization": f"Bearer a.{key}.b"}),
    ):
        sent = {"authorization": f"Bearer {key}", **headers}
        found = world.client.request(method, path, json=body, headers=sent)
        assert found.status_code >= 400
        if path != f"/v1/keys/{key}":  # the caller's own words, to itself
            assert secret not in found.text
        assert secret not in repr(world.lines[-1])


def test_the_log_says_who_did_what_from_where(world: AdminWorld) -> None:
    """By operation, never by address."""
    world.call("acme.auditor", "GET", "/v1/tenants/acme?limit=1")
    world.call("acme.auditor", "GET", "/v1/tenants/acme")
    bad, good = world.lines[-2:]
    assert (bad.operation, bad.status, bad.actor) == ("showTenant", 400, "acme.auditor")
    assert (good.operation, good.method, good.status, good.actor) == ("showTenant", "GET", 200, "acme.auditor")
    assert re.fullmatch(r"[0-9a-f]{24}", good.request)
    assert good.took_s >= 0


def test_failed_log_ins_are_slowed_and_the_known_are_not(world: AdminWorld) -> None:
    """After ten failures the address waits; a key that was good a moment ago still is, a fresh one waits too."""
    assert world.call("admin", "GET", "/v1/me").status == 200
    found = [world.call(f"tpa_{'a' * 10}_{'b' * 52}_{number:07d}", "GET", "/v1/me").status for number in range(12)]
    assert found == [401] * 10 + [429] * 2
    assert world.call("admin", "GET", "/v1/me").status == 200
    waiting = world.call("auditor", "GET", "/v1/me")
    assert waiting.status == 429
    assert 1 <= int(waiting.headers["retry-after"]) <= 7
    assert world.call(None, "GET", "/readyz").status == 200


@pytest.mark.parametrize(
    ("error", "status"),
    [(StoreError("`secret.db` is gone"), 503), (ValueError("secret"), 500), (KeyError("secret"), 500)],
)
def test_what_fails_here_is_told_without_its_words(error: Exception, status: int) -> None:
    """The reason is for the log: where a store is, or what a bug says, is nobody's business outside."""
    problem, headers = problem_of(error, "r1")
    assert (problem.status, problem.request) == (status, "r1")
    assert "secret" not in repr(problem)
    assert headers.get("retry-after") == ("5" if status == 503 else None)


def test_every_error_class_has_a_status() -> None:
    """The table is total: no class falls back to its parent's status."""
    kinds = [TripointError]
    for kind in kinds:
        kinds += [each for each in kind.__subclasses__() if each.__module__.startswith("tripoint.")]
    assert set(kinds) <= set(STATUSES)


@pytest.mark.parametrize("status", sorted(TITLES))
def test_every_problem_has_a_hint(status: int) -> None:
    """Of every status, where the refusal itself brings none; one that it brings is told."""
    assert problem_of(RefusedError(status, "no"), "r1")[0].hint == HINTS[status]
    assert problem_of(RefusedError(status, "no", hint="this way"), "r1")[0].hint == "this way"


@pytest.mark.parametrize("kind", list(STATUSES), ids=lambda kind: str(kind.__name__))
def test_every_error_is_told_with_a_hint(kind: type[TripointError]) -> None:
    """Whatever class it is of."""
    error = EstateError(()) if kind is EstateError else kind("no", hint="")
    assert problem_of(error, "r1")[0].hint
