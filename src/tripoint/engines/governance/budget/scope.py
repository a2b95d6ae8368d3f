"""Which budgets is a request about?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

from tripoint.domain.tenancy import Scope


class Scoped(Protocol):
    """A budget or a quota."""

    @property
    def scope(self) -> Scope:
        """Whose requests."""
        ...


Rule = TypeVar("Rule", bound=Scoped)


class Scopes(Generic[Rule]):
    """Rules found by who asks for what."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._by_tenant: dict[str, list[Rule]] = {}
        for rule in rules:
            self._by_tenant.setdefault(rule.scope.tenant, []).append(rule)

    def has(self, tenant: str) -> bool:
        """True when any rule is about the tenant."""
        return tenant in self._by_tenant

    def about(self, tenant: str, key: str, workload: str) -> tuple[Rule, ...]:
        """Every rule a request falls under, in declared order."""
        return tuple(rule for rule in self._by_tenant.get(tenant, ()) if matches(rule.scope, tenant, key, workload))


def matches(scope: Scope, tenant: str, key: str, workload: str) -> bool:
    """True when a request of that tenant, key and workload is in the scope."""
    return (
        scope.tenant == tenant
        and (scope.key is None or scope.key == key)
        and (scope.workload is None or scope.workload == workload)
    )
