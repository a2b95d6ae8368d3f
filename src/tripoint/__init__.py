"""tripoint: plan where AI workloads live across public cloud, dense private clusters and the edge.

    from tripoint import load_estate, plan, plan_text
    answer = plan(load_estate("my-estate"))
    print(answer.solve.undiscounted_usd, plan_text(answer))

The functions are those the command line calls, so they give the same answers. Importing tripoint does nothing: each
name is fetched when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tripoint.apps.wiring import (
        fit_demand,
        load_catalog,
        load_estate,
        plan,
        plan_text,
        read_plan,
        read_profile,
        write_plan,
        write_profile,
        write_report,
    )
    from tripoint.domain.demand import DemandProfile
    from tripoint.domain.errors import (
        AccessError,
        EstateError,
        FileError,
        Finding,
        InternalError,
        MissingExtraError,
        OptionError,
        PlatformError,
        Severity,
        SolverError,
        StoreError,
        TripointError,
        UpstreamError,
    )
    from tripoint.domain.estate import Estate
    from tripoint.domain.plan import Plan, PlanStatus
    from tripoint.domain.source import LoadedEstate
    from tripoint.usecases.demand import FitOptions
    from tripoint.usecases.plan import PlanOptions, ProgressState, Watch

__all__ = [
    "AccessError",
    "DemandProfile",
    "Estate",
    "EstateError",
    "FileError",
    "Finding",
    "FitOptions",
    "InternalError",
    "LoadedEstate",
    "MissingExtraError",
    "OptionError",
    "Plan",
    "PlanOptions",
    "PlanStatus",
    "PlatformError",
    "ProgressState",
    "Severity",
    "SolverError",
    "StoreError",
    "TripointError",
    "UpstreamError",
    "Watch",
    "__version__",
    "fit_demand",
    "load_catalog",
    "load_estate",
    "plan",
    "plan_text",
    "read_plan",
    "read_profile",
    "write_plan",
    "write_profile",
    "write_report",
]

# The domain's words come first so that asking for one of them imports no library.
_HOMES = (
    "tripoint.domain.errors",
    "tripoint.domain.estate",
    "tripoint.domain.plan",
    "tripoint.domain.source",
    "tripoint.domain.demand",
    "tripoint.apps.wiring",
    "tripoint.usecases.plan",
    "tripoint.usecases.demand",
)


def __getattr__(name: str) -> Any:
    """The public name, fetched from its home on first use."""
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("tripoint")
    if name in __all__:
        for home in _HOMES:
            module = importlib.import_module(home)
            if name in vars(module):
                return vars(module)[name]
    raise AttributeError(f"module `tripoint` has no attribute `{name}`")


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
