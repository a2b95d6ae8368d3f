"""Which role a group of the identity provider gives, as declared by `--oidc-role`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from tripoint.domain.errors import AccessError, OptionError
from tripoint.domain.tenancy import Actor, Role

_RULE = re.compile(r"(?P<group>[^=]+)=(?P<role>[a-z]+)(?:@(?P<tenant>[a-z0-9][a-z0-9-]{0,62}))?")


class GroupRule(NamedTuple):
    """Who is in the group has the role."""

    group: str
    """Group, as tokens name it."""
    role: Role
    """Role it gives."""
    tenant: str | None
    """Tenant the role is bound to; all when `None`."""


def read_rule(text: str) -> GroupRule:
    """Reads `GROUP=ROLE` or `GROUP=ROLE@TENANT`; raises `OptionError`."""
    found = _RULE.fullmatch(text)
    known = [str(role) for role in Role]
    if found is None or found["role"] not in known:
        raise OptionError(
            f"`--oidc-role {text}` is not GROUP=ROLE or GROUP=ROLE@TENANT", hint=f"roles are {', '.join(known)}"
        )
    return GroupRule(found["group"], Role(found["role"]), found["tenant"])


def actor_by_groups(subject: str, groups: Iterable[str], rules: Iterable[GroupRule]) -> Actor | None:
    """Who acts with the roles that the groups give; `None` where they give none.

    Raises `AccessError` where they give roles for several tenants: a principal acts for one, or for all.
    """
    member = frozenset(groups)
    matched = [rule for rule in rules if rule.group in member]
    if not matched:
        return None
    tenants = {rule.tenant for rule in matched}
    if len(tenants) > 1:
        named = ", ".join(sorted(f"`{each}`" if each else "all tenants" for each in tenants))
        raise AccessError(
            f"the groups of this subject give roles for {named}, a principal acts for one of them",
            hint="leave one group, or make a principal with this subject",
        )
    return Actor(f"oidc:{subject}", frozenset(rule.role for rule in matched), tenants.pop())
