"""Flags of `tripoint admin serve` that do not go together, and roles of groups."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.apps.conftest import RunCli
from tests.factories.administering import store_at

from tripoint.apps.admin.identity.groups import GroupRule, actor_by_groups, read_rule
from tripoint.domain.errors import AccessError, OptionError
from tripoint.domain.tenancy import Actor, Role


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--oidc-issuer", "https://id.example"), "go together"),
        (("--oidc-audience", "x"), "go together"),
        (("--oidc-role", "ops=admin"), "needs `--oidc-issuer`"),
        (
            ("--oidc-issuer", "http://id.example", "--oidc-audience", "x"),
            "not an address an identity provider may have",
        ),
        (("--oidc-role", "ops=king"), "roles are admin, operator"),
    ],
)
def test_flags_that_do_not_go_together(run: RunCli, tmp_path: Path, flags: tuple[str, ...], told: str) -> None:
    """Told before anything listens, with exit code 2."""
    found = run("admin", "serve", "--store", store_at(tmp_path), *flags)
    assert found.code == 2
    assert told in found.err


def test_a_key_without_a_certificate(run: RunCli, tmp_path: Path) -> None:
    """The other way round is fine: a chain may hold its key."""
    key = tmp_path / "key.pem"
    key.write_text("x")
    found = run("admin", "serve", "--store", store_at(tmp_path), "--tls-key", key)
    assert (found.code, "`--tls-key` needs `--tls-cert`" in found.err) == (2, True)


def test_a_certificate_that_is_none(run: RunCli, tmp_path: Path) -> None:
    """Told with the file."""
    file = tmp_path / "cert.pem"
    file.write_text("nonsense")
    found = run("admin", "serve", "--store", store_at(tmp_path), "--tls-cert", file, "--port", "0")
    assert found.code == 2
    assert "cert.pem` cannot be used" in found.err


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("ops=admin", GroupRule("ops", Role.ADMIN, None)),
        ("cn=ops,dc=acme", None),
        ("team a=finance@acme", GroupRule("team a", Role.FINANCE, "acme")),
        ("ops=admin@", None),
        ("=admin", None),
        ("ops", None),
        ("ops=Admin", None),
        ("ops=admin@A", None),
    ],
)
def test_rules_of_groups(text: str, rule: GroupRule | None) -> None:
    """GROUP=ROLE or GROUP=ROLE@TENANT, nothing else."""
    if rule is None:
        with pytest.raises(OptionError):
            read_rule(text)
    else:
        assert read_rule(text) == rule


def test_roles_of_several_groups_add_up_within_one_tenant() -> None:
    """And are refused across tenants, for all tenants and one included."""
    rules = [read_rule(each) for each in ("a=finance@acme", "b=auditor@acme", "c=admin", "d=auditor@globex")]
    both = actor_by_groups("i#s", ["a", "b", "z"], rules)
    assert both == Actor("oidc:i#s", frozenset({Role.FINANCE, Role.AUDITOR}), "acme")
    assert actor_by_groups("i#s", ["z"], rules) is None
    for groups in (["a", "c"], ["a", "d"]):
        with pytest.raises(AccessError, match="a principal acts for one of them"):
            actor_by_groups("i#s", groups, rules)
