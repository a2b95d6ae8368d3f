"""The route table, whole: an address that is not here does not exist, and a row without a right cannot be written."""

from __future__ import annotations

from tripoint.apps.admin.contract import Operation
from tripoint.apps.admin.routes import audit, corrections, spend, system
from tripoint.apps.admin.routes.accounts import keys, limits, principals, tenants

OPERATIONS: tuple[Operation, ...] = (
    *tenants.OPERATIONS,
    *principals.OPERATIONS,
    *keys.OPERATIONS,
    *limits.OPERATIONS,
    *audit.OPERATIONS,
    *spend.OPERATIONS,
    *corrections.OPERATIONS,
    *system.OPERATIONS,
)
"""Every operation, in the order of the documentation."""
