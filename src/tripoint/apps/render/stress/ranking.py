"""Whose hardship counts first: workloads somebody set an objective of service for, before work that can wait."""

from __future__ import annotations

from collections.abc import Sequence

from tripoint.domain.stress import Aim, Verdict

_SERVED = frozenset({Aim.AVAILABILITY, Aim.TTFT, Aim.RTO, Aim.RPO})
"""Objectives of being served or restored in time; what is placed or costs is asked of every workload in new plans."""


def is_promised(verdict: Verdict) -> bool:
    """True where an objective of availability, first token or recovery is held against it."""
    return any(each.aim in _SERVED for each in verdict.held)


def promised(verdicts: Sequence[Verdict]) -> Sequence[Verdict]:
    """Those with such an objective; all where none has one."""
    return [each for each in verdicts if is_promised(each)] or verdicts
