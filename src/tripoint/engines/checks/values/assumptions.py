"""Do the estate's own values for defaults name a default, and can the planner compute with them?

A value outside the catalogue's range is the author's right; one that would divide by zero or turn a share into more
than the whole is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate
from tripoint.domain.findings import clip, did_you_mean, finding
from tripoint.domain.source import join_path
from tripoint.engines.checks.references.known import KnownNames
from tripoint.engines.checks.values.ranges import CEILING, Range

_SHARE = Range(0, 1, code="TP1301", hint="write a fraction: 0.3 is 30 %")
_PART = Range(0, 1, is_low_open=True, code="TP1301", hint="write a fraction: 0.3 is 30 %")
_POSITIVE = Range(0, is_low_open=True)
_AMOUNT = Range(0)

_RANGES: Mapping[str, Range] = MappingProxyType(
    {
        "pue.": Range(1, 5, code="TP1304"),
        "finance.discount_rate": _SHARE,
        "finance.amortisation_years": Range(0, 20, "years", is_low_open=True),
        "finance.facility_amortisation_years": Range(0, 50, "years", is_low_open=True),
        "finance.residual_share": _SHARE,
        "finance.gpus_per_fte": _POSITIVE,
        "power.idle_fraction": _SHARE,
        "power.inference_load": _PART,
        "power.training_load": _PART,
        "power.headroom": _PART,
        "power.node_per_tdp": _POSITIVE,
        "rack.density.": _POSITIVE,
        "sizing.utilisation_cap": _PART,
        "sizing.kv_memory_share": _PART,
        "sizing.wait_quantile": Range(0, 0.9999, is_low_open=True, code="TP1301"),
        "sizing.batch_overhead": Range(0, 0.99, code="TP1301"),
        "sizing.": _POSITIVE,
        "weights.": _POSITIVE,
        "training.mfu": _PART,
        "spot.lost_work_share": Range(0, 0.99, code="TP1301"),
        "spot.": _POSITIVE,
        "standby.warm_fraction": _SHARE,
        "recovery.": _AMOUNT,
        "recovery.link_share": _PART,
        "recovery.change_peak": Range(1),
        "recovery.load_gb_per_s": _POSITIVE,
        "recovery.restore_gb_per_s": _POSITIVE,
        "recovery.stage_gbps.": _POSITIVE,
        "storage.archive_share": _SHARE,
        "demand.growth_uncertainty": _SHARE,
        "price.uncertainty": _SHARE,
    }
)
"""Bounds by key or, with a final dot, by family; the longest that fits counts, and 0 or more where none does."""


def check_assumptions(estate: Estate, known: KnownNames) -> Iterator[Finding]:
    """Unknown keys and impossible values of `assumptions`."""
    for key, value in estate.assumptions.items():
        path = join_path("assumptions", key)
        bounds = _bounds(key)
        if key not in known.assumptions:
            hint = did_you_mean(key, known.assumptions) or "`tripoint prices assumptions` lists the keys"
            yield finding("TP1214", path, f"no default has the key `{clip(key)}`", hint)
        elif not bounds.admits(value):
            found = f"{value:g}" if abs(value) < CEILING else f"{value:.3g}"
            yield finding(bounds.code, path, f"is {found}, expects {bounds.text()}", bounds.hint or "check the unit")


def _bounds(key: str) -> Range:
    fitting = [name for name in _RANGES if key == name or (name.endswith(".") and key.startswith(name))]
    return _RANGES[max(fitting, key=len)] if fitting else _AMOUNT
