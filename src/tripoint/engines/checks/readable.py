"""What makes no sense in an estate with mistakes of form: only what the rest of it shows for certain.

Stand-ins are at the mistakes. A finding that may be there only because of one of them is not told.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import Finding, Severity
from tripoint.domain.estate import Estate
from tripoint.domain.findings import STAND_IN
from tripoint.engines.checks.references.known import known_names
from tripoint.engines.checks.references.names import check_references
from tripoint.engines.checks.references.sites import check_sites
from tripoint.engines.checks.values.ranges import check_single_values, check_values
from tripoint.engines.checks.values.times import check_times

_DECLARES = re.compile(r"[^.\[]+(\[\d+\])?|policies\b.*|.*\.id|.*\bcallers\b.*")
"""Places where names may have been declared: whole lists and their entries, ids, regimes, where callers are."""
_BEARS_ON_TIMES = re.compile(r"horizon\b.*|finance\b.*|[^.\[]*")
_BEARS_ON_SITES = re.compile(r"node_types\b.*")
_ENTRY = re.compile(r"[^.\[]*(\[\d+\])?")
"""The entry of a list of the estate that a path is in: a site, a workload."""


def check_readable(estate: Estate, catalog: Catalog, unread: Collection[str]) -> tuple[Finding, ...]:
    """Errors in names and numbers that were read; `unread` are paths whose values have the wrong form.

    How values fit together is asked only where all of them were read. Warnings wait: a stand-in may be the cause.
    """
    found = [*check_single_values(estate), *_fitting(estate, catalog, unread)]
    return tuple(
        said
        for said in found
        if said.severity is Severity.ERROR
        and f"`{STAND_IN}`" not in said.message
        and not any(_is_within(said.path, path) for path in unread)
    )


def _fitting(estate: Estate, catalog: Catalog, unread: Collection[str]) -> Iterator[Finding]:
    """What is held against names declared elsewhere, and against values beside it."""
    beside = [*check_values(estate)]
    if not any(_BEARS_ON_TIMES.fullmatch(path) for path in unread):
        beside += check_times(estate)
    if not any(_DECLARES.fullmatch(path) for path in unread):
        known = known_names(estate, catalog)
        yield from check_references(estate, known)
        if not any(_BEARS_ON_SITES.fullmatch(path) for path in unread):
            beside += check_sites(estate, catalog, known)
    for said in beside:
        entry = _ENTRY.match(said.path)
        if entry and not any(_is_within(path, entry[0]) for path in unread):
            yield said


def _is_within(path: str, around: str) -> bool:
    """True for a place and everything below it; everything is below the whole document."""
    return not around or path == around or path.startswith((f"{around}.", f"{around}["))
