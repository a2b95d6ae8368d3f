"""The one place that chooses adapters and hands them to use cases; these functions are also the Python API.

Everything is imported inside the functions: a command pays only for what it uses, and importing tripoint does
nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tripoint.apps.settings import read_settings

if TYPE_CHECKING:
    from datetime import date

    from tripoint.domain.catalog import Catalog
    from tripoint.domain.demand import DemandProfile
    from tripoint.domain.plan import Plan
    from tripoint.domain.source import LoadedEstate
    from tripoint.domain.table import RoutingTable
    from tripoint.engines.gateway.table.compile import Compiled
    from tripoint.usecases.demand import FitOptions
    from tripoint.usecases.doctor import CatalogueAges
    from tripoint.usecases.plan import PlanOptions, Watch
    from tripoint.usecases.report import Written


def load_catalog() -> Catalog:
    """The catalogue shipped with tripoint."""
    from tripoint.adapters.catalog_csv import load_catalog as load

    return load()


def load_estate(path: str | Path, *, catalog: Catalog | None = None) -> LoadedEstate:
    """The estate at `path` (a file or a folder), checked.

    Its `findings` are warnings and notes. Raises `EstateError` with every finding when there is any error.
    """
    from tripoint.adapters.estate_yaml import load_estate_file
    from tripoint.usecases.load import load_estate as load

    return load(path, catalog or load_catalog(), load_estate_file)


def estate_schema() -> dict[str, Any]:
    """JSON Schema of estate files."""
    from tripoint.adapters.estate_yaml import estate_schema as schema

    return dict(schema())


def plan(
    estate: LoadedEstate | str | Path,
    options: PlanOptions | None = None,
    *,
    catalog: Catalog | None = None,
    today: date | None = None,
    watch: Watch | None = None,
) -> Plan:
    """The plan of an estate: where each workload lives, what to buy when, and what it costs.

    `options` default to those of `tripoint plan`; `today` decides which catalogue rows are stale. An infeasible
    estate is an answer (`plan.status`), not an error. Raises `EstateError` for an estate that cannot be used and
    `SolverError` when a limit came before the first plan.
    """
    from tripoint.adapters.solver_highs import HighsSolver
    from tripoint.usecases.plan import PlanOptions, Watch
    from tripoint.usecases.plan import plan as run

    settings = read_settings()
    rows = catalog or load_catalog()
    loaded = load_estate(estate, catalog=rows) if isinstance(estate, (str, Path)) else estate
    return run(
        loaded,
        rows,
        HighsSolver(),
        options or PlanOptions(threads=settings.threads),
        today=today or settings.today,
        watch=watch or Watch(),
    )


def plan_text(plan: Plan, *, full: bool = False) -> str:
    """What `tripoint plan` prints of a plan; every row of it when `full`."""
    from tripoint.apps.render.plan_text import plan_text as render

    return render(plan, is_full=full)


def write_plan(plan: Plan, folder: str | Path) -> tuple[Written, ...]:
    """Writes `report.html`, `plan.json` and `charges.csv` into `folder`, each whole or not at all."""
    from tripoint.adapters.charges_csv import charges_to_csv
    from tripoint.adapters.plan_json import plan_to_json
    from tripoint.apps.render.html import plan_html
    from tripoint.usecases.report import Output, write_outputs

    outputs = (
        Output(name="report.html", make=plan_html),
        Output(name="plan.json", make=plan_to_json),
        Output(name="charges.csv", make=charges_to_csv),
    )
    return write_outputs(plan, outputs, _writer(Path(folder)))


def open_folder(folder: str | Path) -> None:
    """Makes a folder that files can be written to; raises `FileError` where there can be none."""
    from tripoint.adapters.atomic_file import open_folder as open_

    open_(Path(folder))


def write_report(plan: Plan, file: str | Path) -> Written:
    """Writes the HTML report of a plan to `file`."""
    from tripoint.apps.render.html import plan_html
    from tripoint.usecases.report import Output, write_outputs

    path = Path(file)
    return write_outputs(plan, (Output(name=path.name, make=plan_html),), _writer(path.parent))[0]


def fit_demand(path: str | Path, options: FitOptions | None = None) -> DemandProfile:
    """The demand profile of a request log, a trace or a GPU-job log; needs the extra `demand`."""
    from tripoint.adapters.demand_files import read_trace
    from tripoint.usecases.demand import fit_demand as fit

    return fit(read_trace, str(path), options)


def read_profile(path: str | Path) -> DemandProfile:
    """A demand profile written earlier; raises `EstateError` where the file is not one."""
    from tripoint.adapters.profile_json import read_profile as read

    return read(Path(path))


def write_profile(path: str | Path, profile: DemandProfile) -> None:
    """Writes a demand profile as JSON, whole or not at all."""
    from tripoint.adapters.profile_json import write_profile as write

    write(Path(path), profile)


def read_plan(path: str | Path) -> Plan:
    """The plan in a `plan.json`, or in a folder that holds one; raises `EstateError` where it is not one."""
    from tripoint.adapters.atomic_file import read_text
    from tripoint.adapters.plan_json import plan_from_json

    file = Path(path) / "plan.json" if Path(path).is_dir() else Path(path)
    return plan_from_json(read_text(file), file=str(path))


def compile_routing(
    estate: LoadedEstate | str | Path,
    plan: Plan | str | Path | None = None,
    *,
    catalog: Catalog | None = None,
    today: date | None = None,
    previous: RoutingTable | None = None,
    is_strict: bool = False,
) -> Compiled:
    """The routing table of an estate, with the shares of its plan (a `Plan`, a `plan.json` or its folder) if given.

    Its `findings` are warnings and notes. Raises `EstateError` for an estate or a plan that cannot be served, and with
    `is_strict` for a plan made for another estate.
    """
    from tripoint.usecases.serve import compile_routing as run

    rows = catalog or load_catalog()
    loaded = load_estate(estate, catalog=rows) if isinstance(estate, (str, Path)) else estate
    planned = read_plan(plan) if isinstance(plan, (str, Path)) else plan
    day = today or read_settings().today
    return run(loaded, rows, planned, today=day, previous=previous, is_strict=is_strict)


def init_estate(template: str, folder: str | Path, *, force: bool = False) -> tuple[Path, ...]:
    """Writes a template's files into `folder` and names them; overwrites none unless `force`."""
    from tripoint.adapters.atomic_file import write_text as write
    from tripoint.usecases.init import init_estate as init

    return init(template, Path(folder), write, force=force)


def catalogue_ages(today: date) -> CatalogueAges:
    """How old and how sure the shipped catalogue is."""
    from tripoint.usecases.doctor import catalogue_ages as ages

    return ages(load_catalog(), today)


def solver_answers() -> bool:
    """Whether the solver finds the one answer of a tiny program."""
    from tripoint.adapters.solver_highs import HighsSolver
    from tripoint.engines.placement.milp.program import ProgramBuilder, SolveLimits

    builder = ProgramBuilder()
    nodes = builder.column("nodes", integer=True)
    builder.row("demand", "demand", [(nodes, 2.0)], lower=5.0)
    found = HighsSolver().solve(builder.build([1.0]), SolveLimits(), lambda state: None, lambda: False)
    return abs(found.objective - 3.0) < 1e-6


def write_text(path: str | Path, text: str) -> None:
    """Writes a file whole or not at all."""
    from tripoint.adapters.atomic_file import write_text as write

    write(Path(path), text)


def _writer(folder: Path) -> Callable[[str, str], str]:
    def write(name: str, text: str) -> str:
        write_text(folder / name, text)
        return str(folder / name)

    return write
