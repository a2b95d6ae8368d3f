"""Acts on accounts: who may, what cannot be, what is entered; another tenant's things do not exist."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.factories.accounts import NOON, PEPPER, ROOT, actor, entropy, file_store, key_of, turn

from tripoint.adapters.accounts_sql.store import SqlAccounts
from tripoint.domain.errors import AccessError, ConflictError, MissingError, OptionError, TripointError
from tripoint.domain.tenancy import Actor, Role, Scope, Window
from tripoint.engines.governance.access.keys import KeyKind, key_digest, read_key
from tripoint.engines.governance.access.limits import Money, Rates
from tripoint.engines.governance.access.wanted import Wanted
from tripoint.engines.governance.audit.rows import difference
from tripoint.engines.governance.audit.verify import Evidence, verify
from tripoint.usecases.accounts import keys, limits, principals, tenants
from tripoint.usecases.accounts.keys import Secrets
from tripoint.usecases.accounts.turn import Turn, enter
from tripoint.usecases.audit import show_entries

DAY_S = 86_400.0
ADMIN = actor(Role.ADMIN)
BOUND = actor(Role.ADMIN, tenant="acme", name="acme.bea")
Fresh = Callable[[], bytes]
DAILY = Money(limit_nano=50 * 10**9, window=Window.DAY)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlAccounts]:
    """A store with two tenants."""
    opened = file_store(tmp_path)
    for name in ("acme", "other"):
        tenants.create_tenant(opened, turn(), name)
    yield opened
    opened.close()


@pytest.fixture
def fresh() -> Fresh:
    """Bytes for keys."""
    return entropy()


def secrets(fresh: Fresh) -> Secrets:
    """What a key is made with."""
    return Secrets(PEPPER, fresh())


def last_detail(store: SqlAccounts) -> dict[str, object]:
    """What the last entry says changed, without the digests of rows."""
    entry = show_entries(store, ROOT)[-1]
    detail = json.loads(entry.detail)
    detail.pop("rows", None)
    assert isinstance(detail, dict)
    return detail


def test_a_tenant_is_created_renamed_suspended_and_let_back(store: SqlAccounts) -> None:
    """Each change is entered with what it was before; what changes nothing is not."""
    made = tenants.create_tenant(store, turn(ADMIN), "new", name="New Größe")
    assert tenants.show_tenant(store, ADMIN, "new") == made
    assert tenants.rename_tenant(store, turn(ADMIN), "new", name="Newer").name == "Newer"
    assert last_detail(store) == {"name": {"from": "New Größe", "to": "Newer"}}
    assert tenants.suspend_tenant(store, turn(ADMIN), "new").is_suspended
    before = store.revision()
    tenants.suspend_tenant(store, turn(ADMIN), "new")
    tenants.rename_tenant(store, turn(ADMIN), "new", name="Newer")
    assert store.revision() == before
    assert not tenants.suspend_tenant(store, turn(ADMIN), "new", is_suspended=False).is_suspended
    assert [row.id for row in tenants.list_tenants(store, ADMIN)] == ["acme", "new", "other"]
    assert [row.id for row in tenants.list_tenants(store, ADMIN, after="acme", limit=1)] == ["new"]


def test_suspending_and_letting_back_are_acts_of_two_names(store: SqlAccounts) -> None:
    """So that whoever counts suspensions counts each once; a log that has one name for both still verifies."""
    tenants.suspend_tenant(store, turn(ADMIN), "acme")
    tenants.suspend_tenant(store, turn(ADMIN), "acme", is_suspended=False)
    assert [each.action for each in show_entries(store, ROOT)][-2:] == ["tenant.suspend", "tenant.resume"]
    before = tenants.suspend_tenant(store, turn(ADMIN), "acme")
    after = replace(before, is_suspended=False)
    with store.write() as book:  # as it was entered before they had two names
        enter(book, turn(ADMIN), "tenant.suspend", after, difference(before, after))
    with store.read() as book:
        assert verify(book.entries(), Evidence("o", rows=book.row_digests())).faults == ()


@pytest.mark.parametrize("tenant", ["", "Acme", "a b", "x" * 64, "a.b"])
def test_an_id_that_cannot_be_is_refused(store: SqlAccounts, tenant: str) -> None:
    """Nothing is entered."""
    before = store.revision()
    with pytest.raises(OptionError, match="cannot be the id of a tenant"):
        tenants.create_tenant(store, turn(), tenant)
    assert store.revision() == before


def test_an_id_that_is_taken_is_a_conflict(store: SqlAccounts) -> None:
    """Not an overwriting."""
    with pytest.raises(ConflictError, match="there is a tenant `acme` already"):
        tenants.create_tenant(store, turn(), "acme")


def test_a_mistyped_id_is_told_with_the_nearest(store: SqlAccounts) -> None:
    """As everywhere in tripoint."""
    with pytest.raises(MissingError, match="there is no tenant `acne`") as told:
        tenants.show_tenant(store, ADMIN, "acne")
    assert told.value.hint == "did you mean `acme`?"


def test_a_revision_that_moved_on_refuses_the_act(store: SqlAccounts) -> None:
    """Two who decided on what they saw: the second must look again."""
    seen = store.revision()
    tenants.rename_tenant(store, turn(ADMIN, revision=seen), "acme", name="First")
    with pytest.raises(ConflictError, match=f"revision {seen + 1}, and you have seen {seen}"):
        tenants.rename_tenant(store, turn(ADMIN, revision=seen), "acme", name="Second")
    assert tenants.show_tenant(store, ADMIN, "acme").name == "First"


def test_a_request_repeated_makes_nothing_twice(store: SqlAccounts, fresh: Fresh) -> None:
    """Whatever it makes."""
    wanted = Wanted(name="k", tenant="acme")
    made = keys.create_key(store, turn(ADMIN, request="r"), wanted, secrets(fresh))
    with pytest.raises(ConflictError, match=made.key.id):
        keys.create_key(store, turn(ADMIN, request="r"), wanted, secrets(fresh))
    assert len(keys.list_keys(store, ADMIN)) == 1


def test_a_key_is_kept_as_a_keyed_hash_only(store: SqlAccounts, fresh: Fresh) -> None:
    """The text is nowhere in the file, the log or the row; its hash is not in the log."""
    made = keys.create_key(store, turn(ADMIN), Wanted(name="ci", tenant="acme", workloads=("chat",)), secrets(fresh))
    parts = read_key(made.text)
    assert parts is not None
    assert (parts.kind, parts.id) == (KeyKind.GATEWAY, made.key.id)
    assert made.key.digest == key_digest(PEPPER, made.text)
    secret = made.text.split("_")[2]
    assert secret not in repr(store.accounts(NOON))
    log = repr(show_entries(store, ROOT))
    assert secret not in log
    assert made.key.digest not in log


def test_rotation_lets_both_keys_open_for_a_while(store: SqlAccounts, fresh: Fresh) -> None:
    """The new one inherits what the old one may; the old one ends on time, never later than it would have."""
    old = key_of(store, "acme", fresh(), workloads=("chat",), only_at=("dense",), expires_at=NOON + DAY_S)
    made = keys.rotate_key(store, turn(ADMIN), old.key.id, secrets(fresh), overlap_s=3600.0)
    assert (made.key.workloads, made.key.only_at, made.key.replaces) == (("chat",), ("dense",), old.key.id)
    assert made.text != old.text
    assert keys.show_key(store, ADMIN, old.key.id).revoked_at == NOON + 3600.0
    assert {key.id for key in store.accounts(NOON + 3599.0).keys} == {old.key.id, made.key.id}
    assert {key.id for key in store.accounts(NOON + 3600.0).keys} == {made.key.id}
    keys.rotate_key(store, turn(ADMIN, NOON + 60), old.key.id, secrets(fresh), overlap_s=DAY_S)
    assert keys.show_key(store, ADMIN, old.key.id).revoked_at == NOON + 3600.0


def test_a_rotated_key_keeps_its_limits(store: SqlAccounts, fresh: Fresh) -> None:
    """Whoever may rotate a key is not rid of its budget by that; limits of others stay as they are."""
    old, another = key_of(store, "acme", fresh()), key_of(store, "acme", fresh())
    mine = Scope(tenant="acme", key=old.key.id)
    for scope in (mine, replace(mine, workload="chat"), replace(mine, key=another.key.id), Scope(tenant="acme")):
        limits.set_budget(store, turn(), scope, DAILY)
    limits.set_budget(store, turn(), mine, replace(DAILY, is_enforced=False), budget="x" * 60)
    limits.set_quota(store, turn(), mine, Rates(requests_per_min=7))
    before = set(limits.list_budgets(store, ADMIN))
    first = keys.rotate_key(store, turn(ADMIN), old.key.id, secrets(fresh), overlap_s=3600.0)
    second = keys.rotate_key(store, turn(ADMIN), first.key.id, secrets(fresh), overlap_s=3600.0)
    assert before < set(limits.list_budgets(store, ADMIN))
    for made in (first, second):
        new = made.key.id
        rows = [row for row in limits.list_budgets(store, ADMIN) if row.scope.key == new]
        assert {(row.id, row.scope.workload, row.limit_nano, row.is_enforced) for row in rows} == {
            (f"acme.key.{new}.day", None, DAILY.limit_nano, True),
            (f"acme.key.{new}.workload.chat.day", "chat", DAILY.limit_nano, True),
            (f"acme.{('x' * 60)[: 62 - len(new)]}-{new}", None, DAILY.limit_nano, False),
        }
        (quota,) = [row for row in limits.list_quotas(store, ADMIN) if row.scope.key == new]
        assert (quota.id, quota.requests_per_min) == (f"acme.key.{new}", 7)
        assert set(made.limits) == {quota.id, *(row.id for row in rows)}
        changed = limits.set_budget(store, turn(), Scope(tenant="acme", key=new), DAILY, budget=rows[-1].id)
        assert changed.scope.key == new
    with store.read() as book:
        assert verify(book.entries(), Evidence("o", rows=book.row_digests())).faults == ()


def test_a_revoked_key_stays_revoked(store: SqlAccounts, fresh: Fresh) -> None:
    """It cannot be rotated into a good one; revoking twice changes nothing."""
    made = key_of(store, "acme", fresh())
    assert keys.revoke_key(store, turn(ADMIN), made.key.id).revoked_at == NOON
    before = store.revision()
    assert keys.revoke_key(store, turn(ADMIN, NOON + 9), made.key.id).revoked_at == NOON
    assert store.revision() == before
    assert store.accounts(NOON).keys == ()
    with pytest.raises(ConflictError, match="revoked already"):
        keys.rotate_key(store, turn(ADMIN), made.key.id, secrets(fresh), overlap_s=1.0)
    brief = key_of(store, "acme", fresh(), expires_at=NOON + 1)
    with pytest.raises(ConflictError, match="expired already"):
        keys.rotate_key(store, turn(ADMIN, NOON + 2), brief.key.id, secrets(fresh), overlap_s=1.0)


def test_a_key_that_was_found_is_recognised(store: SqlAccounts, fresh: Fresh) -> None:
    """By its owner's side only."""
    made = key_of(store, "acme", fresh())
    assert keys.which_key(store, ADMIN, made.text, PEPPER) == made.key
    assert keys.which_key(store, BOUND, made.text, PEPPER) == made.key
    assert keys.which_key(store, BOUND._replace(tenant="other"), made.text, PEPPER) is None
    assert keys.which_key(store, ADMIN, made.text, bytes(32)) is None


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Wanted(name="", tenant="acme"), "cannot be the name of a key"),
        (Wanted(name="k"), "either of a tenant or of a principal"),
        (Wanted(name="k", tenant="acme", principal="ann"), "either of a tenant or of a principal"),
        (Wanted(name="k", principal="ann", workloads=("chat",)), "opens the admin interface only"),
        (Wanted(name="k", tenant="acme", workloads=("a", "b", "a")), "`a` is named twice"),
        (Wanted(name="k", tenant="acme", workloads=("\0",)), "cannot be the name of a workload"),
        (Wanted(name="k", tenant="acme", only_at=tuple(map(str, range(101)))), "101 places are too many"),
        (Wanted(name="k", tenant="acme", expires_at=NOON - 5), "ends 5 s ago"),
        (Wanted(name="k", tenant="acme", expires_at=NOON), "ends 0 s ago"),
        (Wanted(name="k", tenant="acme", expires_at=NOON - 7_300), "ends 2 hours ago"),
        (Wanted(name="k", tenant="acme", expires_at=NOON - 90 * DAY_S), "ends 90 days ago"),
        (Wanted(name="k", tenant="acme", expires_at=NOON - 217_461_959), "ends 7 years ago"),
        (Wanted(name="k", tenant="acme", expires_at=float("-inf")), "ends inf years ago"),
        (Wanted(name="k", tenant="acme", expires_at=float("nan")), "later than the year 9999"),
        (Wanted(name="k", tenant="acme", expires_at=float("inf")), "later than the year 9999"),
    ],
)
def test_a_key_that_cannot_be_is_refused(store: SqlAccounts, fresh: Fresh, wanted: Wanted, told: str) -> None:
    """Each with its reason, and nothing entered."""
    before = store.revision()
    with pytest.raises(OptionError, match=told):
        keys.create_key(store, turn(ADMIN), wanted, secrets(fresh))
    assert store.revision() == before


@pytest.mark.parametrize("overlap", [-1.0, 90 * DAY_S + 1, float("nan"), float("inf")])
def test_an_overlap_that_cannot_be_is_refused(store: SqlAccounts, fresh: Fresh, overlap: float) -> None:
    """An old key must not stay for ever."""
    made = key_of(store, "acme", fresh())
    with pytest.raises(OptionError, match="overlap"):
        keys.rotate_key(store, turn(ADMIN), made.key.id, secrets(fresh), overlap_s=overlap)


def test_names_nobody_serves_are_refused_once_gateways_have_told_theirs(store: SqlAccounts, fresh: Fresh) -> None:
    """Before, nothing is known to be wrong."""
    key_of(store, "acme", fresh(), workloads=("chta",))
    store.note_served({"workload": ["chat", "rag"], "place": ["edge", "dense"]}, NOON)
    with pytest.raises(OptionError, match="no workload `chta`") as told:
        key_of(store, "acme", fresh(), workloads=("chta",))
    assert told.value.hint == "did you mean `chat`?"
    with pytest.raises(OptionError, match="no site, layer or kind `moon`"):
        key_of(store, "acme", fresh(), only_at=("moon",))
    with pytest.raises(OptionError, match="no workload `chta`"):
        limits.set_budget(store, turn(), Scope(tenant="acme", workload="chta"), DAILY)
    key_of(store, "acme", fresh(), workloads=("chat",), only_at=("dense",))


def test_a_budget_is_set_changed_and_removed(store: SqlAccounts, fresh: Fresh) -> None:
    """One per scope and window; the id says whose."""
    key = key_of(store, "acme", fresh()).key
    made = limits.set_budget(store, turn(ADMIN), Scope(tenant="acme"), DAILY)
    assert made.id == "acme.day"
    one = limits.set_budget(store, turn(ADMIN), Scope(tenant="acme", key=key.id, workload="chat"), DAILY)
    assert one.id == f"acme.key.{key.id}.workload.chat.day"
    odd = limits.set_budget(store, turn(ADMIN), Scope(tenant="acme", workload="chat/größe"), DAILY)
    assert odd.id.startswith("acme.workload.")
    assert odd.id.isascii()
    limits.set_budget(store, turn(ADMIN), Scope(tenant="acme"), Money(limit_nano=1, window=Window.DAY))
    assert last_detail(store) == {"limit_usd": {"from": "50", "to": "0.000000001"}}
    assert limits.show_budget(store, ADMIN, "acme.day").limit_nano == 1
    assert limits.remove_budget(store, turn(ADMIN), "acme.day").limit_nano == 1
    assert len(limits.list_budgets(store, ADMIN)) == 2
    named = limits.set_budget(store, turn(ADMIN), Scope(tenant="acme"), DAILY, budget="research")
    assert named.id == "acme.research"
    assert limits.set_budget(store, turn(ADMIN), Scope(tenant="acme"), DAILY, budget="acme.research") == named


def test_an_id_stays_what_it_was_about(store: SqlAccounts) -> None:
    """A budget's past must not become another scope's."""
    limits.set_budget(store, turn(), Scope(tenant="acme"), DAILY, budget="one")
    for scope, money in (
        (Scope(tenant="acme", workload="chat"), DAILY),
        (Scope(tenant="acme"), Money(limit_nano=1, window=Window.MONTH)),
    ):
        with pytest.raises(ConflictError, match=r"`acme\.one` is about tenant `acme`"):
            limits.set_budget(store, turn(), scope, money, budget="one")


@pytest.mark.parametrize("limit", [-1, 10**18 + 1])
def test_a_budget_that_cannot_be_is_refused(store: SqlAccounts, limit: int) -> None:
    """Both ends are told."""
    with pytest.raises(OptionError, match=r"from 0 to 1,000,000,000(\.0*)? USD"):
        limits.set_budget(store, turn(), Scope(tenant="acme"), Money(limit_nano=limit, window=Window.DAY))


def test_a_quota_is_set_changed_and_removed(store: SqlAccounts) -> None:
    """Each limit by itself."""
    limits.set_quota(store, turn(ADMIN), Scope(tenant="acme"), Rates(tokens_per_min=5))
    row = limits.set_quota(store, turn(ADMIN), Scope(tenant="acme"), Rates(concurrency=0))
    assert limits.list_quotas(store, ADMIN) == (row,)
    assert (row.id, row.tokens_per_min, row.concurrency) == ("acme", None, 0)
    assert limits.show_quota(store, ADMIN, "acme") == row
    limits.remove_quota(store, turn(ADMIN), "acme")
    assert limits.list_quotas(store, ADMIN, tenant="acme") == ()
    with pytest.raises(OptionError, match="limits nothing"):
        limits.set_quota(store, turn(ADMIN), Scope(tenant="acme"), Rates())
    with pytest.raises(OptionError, match="tokens per minute: -1 cannot be"):
        limits.set_quota(store, turn(ADMIN), Scope(tenant="acme"), Rates(tokens_per_min=-1))


def test_a_limit_is_about_a_key_of_its_own_tenant(store: SqlAccounts, fresh: Fresh) -> None:
    """Another tenant's key, an admin's key and no key are all told alike."""
    theirs = key_of(store, "other", fresh()).key
    principals.add_principal(store, turn(), "ann", roles=[Role.ADMIN])
    hers = keys.create_key(store, turn(), Wanted(name="k", principal="ann"), secrets(fresh)).key
    for key in (theirs.id, hers.id, "nokey"):
        with pytest.raises(MissingError, match=f"there is no key `{key}`"):
            limits.set_quota(store, turn(), Scope(tenant="acme", key=key), Rates(concurrency=1))


def test_a_principal_gets_roles_and_loses_them(store: SqlAccounts) -> None:
    """In the order of the table, each once."""
    made = principals.add_principal(
        store, turn(), "bob", roles=[Role.DEVELOPER, Role.FINANCE, Role.FINANCE], subject="https://id.example#1"
    )
    assert made.roles == (Role.FINANCE, Role.DEVELOPER)
    assert principals.set_roles(store, turn(), "bob", roles=[Role.AUDITOR]).roles == (Role.AUDITOR,)
    assert last_detail(store) == {"roles": {"from": ["finance", "developer"], "to": ["auditor"]}}
    assert principals.set_subject(store, turn(), "bob", subject=None).subject is None
    assert principals.suspend_principal(store, turn(), "bob").is_suspended
    assert principals.show_principal(store, ADMIN, "bob").is_suspended
    assert [row.id for row in principals.list_principals(store, ADMIN)] == ["bob"]
    with pytest.raises(OptionError, match="at least one role"):
        principals.set_roles(store, turn(), "bob", roles=[])


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "ann",
        "ann#1",
        "https://id.example",
        "https://id.example#",
        "https://x#\0",
        "https://\u202ex#1",
        "https://x#" + "1" * 491,
    ],
)
def test_a_subject_that_cannot_be_is_refused(store: SqlAccounts, subject: str) -> None:
    """It takes an issuer and a name."""
    with pytest.raises(OptionError, match="not a subject"):
        principals.add_principal(store, turn(), "bob", roles=[Role.ADMIN], subject=subject)


def test_the_last_admin_cannot_be_lost(store: SqlAccounts) -> None:
    """Neither by roles nor by suspension; a bound admin does not count."""
    principals.add_principal(store, turn(), "ann", roles=[Role.ADMIN])
    principals.add_principal(store, turn(), "bea", roles=[Role.ADMIN], tenant="acme")
    changes: tuple[Callable[[], object], ...] = (
        lambda: principals.suspend_principal(store, turn(), "ann"),
        lambda: principals.set_roles(store, turn(), "ann", roles=[Role.FINANCE]),
    )
    for change in changes:
        with pytest.raises(ConflictError, match="the last admin"):
            change()
    principals.add_principal(store, turn(), "eve", roles=[Role.ADMIN])
    principals.suspend_principal(store, turn(), "ann")


def test_nobody_gives_away_more_than_he_may(store: SqlAccounts, fresh: Fresh) -> None:
    """Not to himself, not to others, not by a key that speaks for somebody greater."""
    principals.add_principal(store, turn(), "ann", roles=[Role.ADMIN])
    principals.add_principal(store, turn(), "dev", roles=[Role.DEVELOPER])
    dev = actor(Role.DEVELOPER, name="dev")
    greater: tuple[Callable[[], object], ...] = (
        lambda: principals.add_principal(store, turn(dev), "new", roles=[Role.DEVELOPER]),
        lambda: principals.set_roles(store, turn(dev), "dev", roles=[Role.ADMIN]),
        lambda: keys.create_key(store, turn(dev), Wanted(name="k", principal="ann"), secrets(fresh)),
    )
    for act in greater:
        with pytest.raises(AccessError):
            act()
    own = keys.create_key(store, turn(dev), Wanted(name="k", principal="dev"), secrets(fresh))
    assert own.text.startswith("tpa_")
    hers = keys.create_key(store, turn(), Wanted(name="k", principal="ann"), secrets(fresh))
    through_hers: tuple[Callable[[], object], ...] = (
        lambda: keys.rotate_key(store, turn(dev), hers.key.id, secrets(fresh), overlap_s=1.0),
        lambda: keys.revoke_key(store, turn(dev), hers.key.id),
    )
    for act in through_hers:
        with pytest.raises(AccessError):
            act()


def readers() -> list[Callable[[SqlAccounts, Actor, str], object]]:
    """Everything that names one thing of the other tenant."""
    return [
        tenants.show_tenant,
        lambda store, who, name: tenants.rename_tenant(store, Turn(who, NOON), name, name="Mine"),
        lambda store, who, name: principals.show_principal(store, who, f"{name}.bob"),
        lambda store, who, name: principals.suspend_principal(store, Turn(who, NOON), f"{name}.bob"),
        lambda store, who, name: principals.list_principals(store, who, tenant=name),
        lambda store, who, name: principals.add_principal(
            store, Turn(who, NOON), "new", roles=[Role.DEVELOPER], tenant=name
        ),
        lambda store, who, name: keys.list_keys(store, who, tenant=name),
        lambda store, who, name: limits.show_quota(store, who, name),
        lambda store, who, name: limits.remove_quota(store, Turn(who, NOON), name),
        lambda store, who, name: limits.show_budget(store, who, f"{name}.day"),
        lambda store, who, name: limits.remove_budget(store, Turn(who, NOON), f"{name}.day"),
        lambda store, who, name: limits.list_quotas(store, who, tenant=name),
        lambda store, who, name: limits.list_budgets(store, who, tenant=name),
        lambda store, who, name: limits.set_budget(store, Turn(who, NOON), Scope(tenant=name), DAILY),
        lambda store, who, name: show_entries(store, who, tenant=name),
    ]


@pytest.mark.parametrize("number", range(len(readers())))
def test_another_tenants_things_do_not_exist(store: SqlAccounts, number: int) -> None:
    """A bound admin is told the same, hint included, of what is another's and of what is not there."""
    principals.add_principal(store, turn(), "bob", roles=[Role.DEVELOPER], tenant="other")
    limits.set_quota(store, turn(), Scope(tenant="other"), Rates(concurrency=1))
    limits.set_budget(store, turn(), Scope(tenant="other"), DAILY)
    told = []
    before = store.revision()
    for name in ("other", "nobody"):
        with pytest.raises(TripointError) as refused:
            readers()[number](store, BOUND, name)
        assert type(refused.value) is MissingError
        told.append((str(refused.value).replace(name, "X"), refused.value.hint))
    assert told[0] == told[1]
    assert store.revision() == before


def test_who_is_bound_sees_only_his_tenant_in_lists(store: SqlAccounts, fresh: Fresh) -> None:
    """Every list, and the audit log."""
    for name in ("acme", "other"):
        key_of(store, name, fresh())
        principals.add_principal(store, turn(), "bob", roles=[Role.DEVELOPER], tenant=name)
        limits.set_quota(store, turn(), Scope(tenant=name), Rates(concurrency=1))
        limits.set_budget(store, turn(), Scope(tenant=name), DAILY)
    principals.add_principal(store, turn(), "ann", roles=[Role.ADMIN])
    keys.create_key(store, turn(), Wanted(name="k", principal="ann"), secrets(fresh))
    assert [row.id for row in tenants.list_tenants(store, BOUND)] == ["acme"]
    assert {row.tenant for row in keys.list_keys(store, BOUND)} == {"acme"}
    assert {row.tenant for row in principals.list_principals(store, BOUND)} == {"acme"}
    assert {row.scope.tenant for row in limits.list_quotas(store, BOUND)} == {"acme"}
    assert {row.scope.tenant for row in limits.list_budgets(store, BOUND)} == {"acme"}
    assert {entry.tenant for entry in show_entries(store, BOUND)} == {"acme"}


def test_what_a_bound_admin_makes_is_his_tenants(store: SqlAccounts) -> None:
    """Also where he names no tenant; and nothing that concerns all."""
    made = principals.add_principal(store, turn(BOUND), "cyd", roles=[Role.ADMIN])
    assert (made.id, made.tenant) == ("acme.cyd", "acme")
    acts: tuple[Callable[[], object], ...] = (
        lambda: tenants.create_tenant(store, turn(BOUND), "mine"),
        lambda: tenants.suspend_tenant(store, turn(BOUND), "acme"),
    )
    for act in acts:
        with pytest.raises(AccessError, match="bound to the tenant `acme`"):
            act()


def test_the_chain_holds_over_everything_that_was_done(store: SqlAccounts, fresh: Fresh) -> None:
    """And the tables are as the log says."""
    made = key_of(store, "acme", fresh())
    keys.rotate_key(store, turn(), made.key.id, secrets(fresh), overlap_s=5.0)
    limits.set_budget(store, turn(), Scope(tenant="acme"), DAILY)
    limits.remove_budget(store, turn(), "acme.day")
    with store.read() as book:
        found = verify(book.entries(), Evidence("o", rows=book.row_digests()))
    assert found.faults == ()
    assert found.entries == store.revision() == 6
