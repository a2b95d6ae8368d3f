"""Which column of a log plays which role: known layouts first, then common names, then an error that helps.

Names are compared without case, separators or camel case (`ContextTokens` is `context_tokens`); nested JSON
names are compared whole and by their last part (`usage.prompt_tokens`). Nothing is guessed: two candidates
for one needed role, or none, is an `OptionError` with the columns found and the nearest names.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from tripoint.domain.errors import OptionError

_NAMES: Mapping[str, str] = {
    "timestamp": "timestamp ts time created created_at datetime date_time request_time arrival "
    "arrival_time arrived_at arrival_timestamp request_timestamp event_time start_time started_at received_at unixtime "
    "unix_time epoch log_time",
    "input": "input input_tokens prompt_tokens context_tokens input_length tokens_in request_tokens in_tokens "
    "num_prompt_tokens num_input_tokens n_prompt_tokens input_token_count prompt_token_count prefill_tokens "
    "prompt_tokens_count",
    "output": "output output_tokens completion_tokens generated_tokens output_length tokens_out out_tokens "
    "response_tokens num_output_tokens num_generated_tokens num_completion_tokens output_token_count "
    "candidates_token_count completion_token_count decode_tokens",
    "tenant": "tenant tenant_id customer customer_id client client_id organization organization_id "
    "org_id project project_id team team_id account account_id group_id vc user user_id",
    "blocks": "hash_ids",
    "submit": "submit submit_time submitted_at submitted_time submission_time queued_at creation_time "
    "created_at arrival_time",
    "start": "start start_time started_at begin begin_time time_start scheduled_time scheduled_at timestamp",
    "end": "end end_time ended_at finish finish_time finished_at completed_at time_end deletion_time deleted_at",
    "duration": "duration runtime run_time elapsed elapsed_raw elapsed_time wall_time walltime job_duration",
    "gpus": "gpus gpu gpu_num num_gpus num_gpu n_gpus gpu_count gpus_requested req_gpus alloc_gpus "
    "gpus_allocated gpu_request accelerators",
}
ALIASES = MappingProxyType({role: tuple(names.split()) for role, names in _NAMES.items()})
"""Names a role goes by; for `tenant` the first found wins, elsewhere two found are asked back."""
_UNITS: Mapping[str, str] = {
    "s": "s sec secs second seconds",
    "ms": "ms msec millis milliseconds",
    "us": "us usec micros microseconds",
    "ns": "ns nsec nanos nanoseconds",
}
UNIT_SUFFIXES = MappingProxyType({name: unit for unit, names in _UNITS.items() for name in names.split()})
LIKELY = 0.75
"""Least likeness, 0 to 1, at which a column is suggested for a role."""
AZURE = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
MOONCAKE = ("timestamp", "input_length", "output_length", "hash_ids")
SERVEGEN_WINDOWS = ("client_id", "window_start_s", "rate_rps", "iat_cv")
SERVEGEN_TOKENS = ("client_id", "window_start_s", "field", "value", "prob")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a file is to be read."""

    kind: str
    """`requests`, `gpu_jobs` or `client_windows`."""
    title: str
    """What the file is, for people."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Column by role."""
    unit: str | None = None
    """Unit of numeric timestamps, where the layout fixes it."""
    notes: tuple[str, ...] = ()
    """Choices made."""


def layout_of(found: Sequence[str], asked: Mapping[str, str], kind: str | None, file: str) -> Layout:
    """Layout of a file with these columns; `asked` are the caller's own mappings, which win."""
    if set(SERVEGEN_TOKENS) <= set(found):
        raise OptionError(
            f"`{file}` holds ServeGen's token distributions, which have no request rates",
            hint="name the `..._client_windows` file; this one is read beside it",
        )
    _check_asked(found, asked, file)
    if not asked and kind != "gpu_jobs":
        known = _known(found)
        if known:
            return known
    chosen, notes = _assign(found, asked, file, kind or _kind_of(found, asked))
    title = {"requests": "request log", "gpu_jobs": "GPU-job log"}[chosen[0]]
    return Layout(kind=chosen[0], title=title, columns=chosen[1], notes=notes)


def normalised(name: str) -> str:
    """Lower case with single underscores: `ContextTokens` and `context-tokens` are one name."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    return re.sub(r"[^a-z0-9]+", "_", split.lower()).strip("_")


def unit_in_name(name: str) -> str | None:
    """Unit a column's name ends on, as in `arrival_ms`."""
    head, _, tail = normalised(name).rpartition("_")
    return UNIT_SUFFIXES.get(tail) if head else None


def _known(found: Sequence[str]) -> Layout | None:
    """The published layouts, recognised by their exact columns."""
    if set(SERVEGEN_WINDOWS) <= set(found):
        return Layout(kind="client_windows", title="ServeGen client windows")
    if set(MOONCAKE) <= set(found):
        roles = dict(zip(("timestamp", "input", "output", "blocks"), MOONCAKE, strict=True))
        return Layout(kind="requests", title="Mooncake trace", columns=roles, unit="ms")
    if set(AZURE) == set(found):
        roles = dict(zip(("timestamp", "input", "output"), AZURE, strict=True))
        return Layout(kind="requests", title="Azure LLM inference trace", columns=roles)
    return None


def _check_asked(found: Sequence[str], asked: Mapping[str, str], file: str) -> None:
    """A mapped column must exist."""
    for role, column in asked.items():
        if column not in found:
            near = difflib.get_close_matches(column, found, n=1, cutoff=0.5)
            meant = f"; did you mean `{near[0]}`?" if near else ""
            raise OptionError(f"`{file}` has no column `{column}` to be the {role}{meant}", hint=_found_hint(found))


def _kind_of(found: Sequence[str], asked: Mapping[str, str]) -> str:
    """GPU jobs when the columns say so (GPUs and a duration or an end), else requests."""
    has_gpus = "gpus" in asked or bool(_candidates("gpus", found))
    has_length = any(role in asked or _candidates(role, found) for role in ("duration", "end"))
    has_tokens = any(role in asked or _candidates(role, found) for role in ("input", "output"))
    return "gpu_jobs" if has_gpus and has_length and not has_tokens else "requests"


def _assign(
    found: Sequence[str], asked: Mapping[str, str], file: str, kind: str
) -> tuple[tuple[str, dict[str, str]], tuple[str, ...]]:
    """Column by role for a kind, and the choices worth telling."""
    wanted = (
        ("timestamp", "input", "output", "blocks")
        if kind == "requests"
        else ("submit", "start", "end", "duration", "gpus")
    )
    columns = dict(asked)
    for role in wanted:
        # `created_at` beside `timestamp` is a question; a column already spoken for is not.
        spare = [name for name in found if name not in columns.values()]
        candidates = _candidates(role, spare)
        if role not in columns and len(candidates) > 1:
            raise OptionError(
                f"several columns of `{file}` could be the {role}: {_quoted(candidates)}",
                hint=f"choose one with `--map {role}={candidates[0]}`",
            )
        if role not in columns and candidates:
            columns[role] = candidates[0]
    _check_complete(kind, columns, found, file)
    tenants = _candidates("tenant", [name for name in found if name not in columns.values()])
    notes: tuple[str, ...] = ()
    if "tenant" not in columns and tenants:
        columns["tenant"] = tenants[0]
        if len(tenants) > 1:
            notes = (f"tenants were counted by `{tenants[0]}`; {_quoted(tenants[1:])} could be mapped instead",)
    return (kind, columns), notes


def _check_complete(kind: str, columns: Mapping[str, str], found: Sequence[str], file: str) -> None:
    """The roles a kind cannot do without."""
    if kind == "requests":
        missing = [role for role in ("timestamp", "input", "output") if role not in columns]
    else:
        missing = [] if {"submit", "start"} & set(columns) else ["start"]
        missing += [] if {"duration", "end"} & set(columns) else ["duration"]
        missing += [] if "gpus" in columns else ["gpus"]
    if missing:
        likely = _nearest(missing, [name for name in found if name not in columns.values()])
        example = ",".join(f"{role}={likely.get(role, 'COLUMN')}" for role in missing)
        raise OptionError(
            f"`{file}` has no column known as {' or '.join(missing)}; {_found_hint(found)}",
            hint=f"name it with `--map {example}`",
        )


def _candidates(role: str, found: Sequence[str]) -> list[str]:
    """Columns that go by a name of the role, in the order of the aliases; whole names before last parts."""
    ranked = []
    for name in found:
        parts = {normalised(name), normalised(name.rsplit(".", 1)[-1]), _without_unit(name)}
        ranks = [rank for rank, alias in enumerate(ALIASES[role]) if alias in parts]
        if ranks:
            ranked.append((ranks[0], name))
    return [name for _, name in sorted(ranked, key=lambda pair: pair[0])]


def _without_unit(name: str) -> str:
    """`arrival_ms` is `arrival`; names that only look so (`prompt_tokens`) stay."""
    return normalised(name).rpartition("_")[0] if unit_in_name(name) else normalised(name)


def _nearest(roles: Sequence[str], spare: Sequence[str]) -> dict[str, str]:
    """The likeliest spare column for each missing role, if one is likely; no column for two roles."""
    taken = {alias for aliases in ALIASES.values() for alias in aliases}
    by_name = {normalised(name): name for name in spare if normalised(name) not in taken}
    nearest: dict[str, str] = {}
    for role in roles:
        scored = [
            (difflib.SequenceMatcher(None, name, alias).ratio(), name)
            for name in by_name
            for alias in ALIASES[role]
            if by_name[name] not in nearest.values()
        ]
        if scored and max(scored)[0] >= LIKELY:
            nearest[role] = by_name[max(scored)[1]]
    return nearest


def _found_hint(found: Sequence[str]) -> str:
    """The columns found, at most a dozen."""
    more = f" and {len(found) - 12} more" if len(found) > 12 else ""
    return f"columns found: {_quoted(found[:12])}{more}"


def _quoted(names: Sequence[str]) -> str:
    """Names in backticks, the long ones cut."""
    return ", ".join(f"`{name if len(name) <= 60 else name[:57] + '...'}`" for name in names)
