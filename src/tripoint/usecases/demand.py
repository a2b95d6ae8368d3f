"""`tripoint demand fit`: from a request log, a published trace or a GPU-job log to a demand profile.

The reader aggregates the file and says what it set aside; the sizing room turns the aggregate into a profile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tripoint.domain.demand import DemandProfile
from tripoint.domain.errors import OptionError
from tripoint.engines.sizing.demand.curve import DEFAULT_BLOCKS
from tripoint.engines.sizing.demand.profile import profile_of_jobs, profile_of_requests
from tripoint.engines.sizing.demand.trace import JobTrace, RequestTrace

ROLES = ("timestamp", "input", "output", "tenant", "blocks", "submit", "start", "end", "duration", "gpus")
"""What a column can be mapped to; the first five are of request logs, the rest of GPU-job logs."""
UNITS = ("s", "ms", "us", "ns")
KINDS = ("requests", "gpu_jobs")


@dataclass(frozen=True, slots=True, kw_only=True)
class FitOptions:
    """Flags of one fit; everything is detected where not given."""

    name: str | None = None
    """Name of the profile; from the file name when not given."""
    description: str | None = None
    """What the file is, for the profile's `source`."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Column of the file by role, see `ROLES`."""
    kind: str | None = None
    """`requests` or `gpu_jobs`."""
    unit: str | None = None
    """Unit of numeric timestamps: `s`, `ms`, `us` or `ns`."""
    duration_unit: str | None = None
    """Unit of a GPU job's duration: `s`, `ms`, `us` or `ns`."""
    starts_at: str | None = None
    """ISO 8601 instant at which a trace with relative timestamps began, so that weekdays are known."""
    companion: str | None = None
    """ServeGen: file of the token distributions; found by its name when not given."""
    blocks: int = DEFAULT_BLOCKS
    """Blocks of the load-duration curve, 1 to 24."""
    memory_mb: int = 512
    """Memory the reader may use before it spills to disk, MB."""


class TraceReader(Protocol):
    """Aggregates a file, however large, in bounded memory."""

    def __call__(self, path: str, options: FitOptions) -> RequestTrace | JobTrace:
        """Raise `OptionError` where a flag would help, `FileError` where the file is damaged."""
        ...


def fit_demand(reader: TraceReader, path: str, options: FitOptions | None = None) -> DemandProfile:
    """Profile of the log at `path`; raises `OptionError` before reading when the options cannot be used."""
    options = options or FitOptions()
    check_options(options)
    trace = reader(path, options)
    if isinstance(trace, JobTrace):
        return profile_of_jobs(trace, options.blocks)
    return profile_of_requests(trace, options.blocks)


def check_options(options: FitOptions) -> None:
    """Raise `OptionError` for the first option outside its range."""
    if not 1 <= options.blocks <= 24:
        raise OptionError(
            f"{options.blocks} blocks asked for, 1 to 24 are possible", hint="5 blocks describe most curves"
        )
    if options.memory_mb < 64:
        raise OptionError(
            f"{options.memory_mb} MB of memory allowed, at least 64 MB are needed",
            hint="raise the limit; the default is 512 MB",
        )
    for value, known, flag in (
        (options.kind, KINDS, "kind"),
        (options.unit, UNITS, "unit"),
        (options.duration_unit, UNITS, "duration unit"),
    ):
        if value is not None and value not in known:
            raise OptionError(f"there is no {flag} `{value}`", hint=f"known: {', '.join(known)}")
    for role in options.columns:
        _check_role(role)


def parse_map(texts: Iterable[str]) -> dict[str, str]:
    """Column by role from `role=column` texts, several per text when separated by commas.

    Raises `OptionError` for an unknown role, a missing part or a role given twice.
    """
    columns: dict[str, str] = {}
    for pair in (pair.strip() for text in texts for pair in text.split(",")):
        role, equals, column = (part.strip() for part in pair.partition("="))
        if not (role and equals and column):
            raise OptionError(f"`{pair}` maps nothing", hint="write `role=column`, as in `timestamp=created_at`")
        _check_role(role)
        if columns.setdefault(role, column) != column:
            raise OptionError(f"`{role}` is mapped twice, to `{columns[role]}` and `{column}`", hint="keep one of them")
    return columns


def _check_role(role: str) -> None:
    """Raise `OptionError` for a role no column can play."""
    if role not in ROLES:
        raise OptionError(f"columns cannot be mapped to `{role}`", hint=f"roles: {', '.join(ROLES)}")
