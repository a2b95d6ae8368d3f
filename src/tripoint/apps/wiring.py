"""The one place that chooses adapters and hands them to use cases; these functions are also the Python API.

Everything is imported inside the functions: a command pays only for what it uses, and importing tripoint does
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tripoint.apps.settings import read_settings

if TYPE_CHECKING:
    import ssl
    from datetime import date

    from tripoint.adapters.board_mmap.board import MmapBoard
    from tripoint.adapters.local_models import ModelServer
    from tripoint.adapters.metrics_files import MetricsFile
    from tripoint.adapters.oidc.tokens import Tokens
    from tripoint.adapters.upstream_http.pool import Upstreams
    from tripoint.adapters.usage_segments import UsageSegments
    from tripoint.apps.render.html.drawing.sections import Section
    from tripoint.domain.catalog import Catalog
    from tripoint.domain.demand import DemandProfile
    from tripoint.domain.plan import Plan
    from tripoint.domain.quote import CatalogueRow, MapEntry
    from tripoint.domain.record import UsageRecord
    from tripoint.domain.source import LoadedEstate
    from tripoint.domain.table import RoutingTable
    from tripoint.engines.answers.explanation.explained import Explained
    from tripoint.engines.answers.explanation.question import Question
    from tripoint.engines.gateway.table.compile import Compiled
    from tripoint.engines.placement.milp.program import SolveLimits
    from tripoint.engines.sizing.demand.trace import TraceRows
    from tripoint.usecases.assess_recovery import Assessment
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
    from tripoint.adapters.estate_yaml import load_estate_file, read_readable_estate
    from tripoint.usecases.load import load_estate as load

    return load(path, catalog or load_catalog(), load_estate_file, read_readable_estate)


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


def explain(
    loaded: LoadedEstate,
    catalog: Catalog,
    plan: Plan,
    question: Question,
    limits: SolveLimits,
    tell: Callable[[str], None] = lambda phase: None,
) -> Explained:
    """Why the plan of an estate puts a workload where it does; raises as `usecases.explain.explain` does."""
    from tripoint.adapters.solver_highs import HighsSolver
    from tripoint.usecases.explain import explain as run

    return run(loaded, catalog, plan, question, HighsSolver(), limits, tell)


def plan_text(plan: Plan, *, full: bool = False) -> str:
    """What `tripoint plan` prints of a plan; every row of it when `full`."""
    from tripoint.apps.render.plan_text import plan_text as render

    return render(plan, is_full=full)


def write_plan(plan: Plan, folder: str | Path, more: Sequence[Section] = ()) -> tuple[Written, ...]:
    """Writes `report.html` (with `more` parts), `plan.json`, `charges.csv` into `folder`, each whole or not at all."""
    from tripoint.adapters.charges_csv import charges_to_csv
    from tripoint.adapters.plan_json import plan_to_json
    from tripoint.apps.render.html import plan_html
    from tripoint.usecases.report import Output, write_outputs

    outputs = (
        Output(name="report.html", make=lambda plan: plan_html(plan, more)),
        Output(name="plan.json", make=plan_to_json),
        Output(name="charges.csv", make=charges_to_csv),
    )
    return write_outputs(plan, outputs, _writer(Path(folder)))


def open_folder(folder: str | Path) -> None:
    """Makes a folder that files can be written to; raises `FileError` where there can be none."""
    from tripoint.adapters.atomic_file import open_folder as open_

    open_(Path(folder))


def write_report(plan: Plan, file: str | Path, more: Sequence[Section] = ()) -> Written:
    """Writes the HTML report of a plan, with `more` parts, to `file`."""
    from tripoint.apps.render.html import plan_html
    from tripoint.usecases.report import Output, write_outputs

    path = Path(file)
    output = Output(name=path.name, make=lambda plan: plan_html(plan, more))
    return write_outputs(plan, (output,), _writer(path.parent))[0]


def write_recovery(found: Assessment, folder: str | Path) -> str:
    """Writes `recovery.html` into a folder, whole or not at all; its path."""
    from tripoint.adapters.atomic_file import write_text
    from tripoint.apps.render.html.resilience.page import recovery_html

    path = Path(folder) / "recovery.html"
    write_text(path, recovery_html(found))
    return str(path)


def fit_demand(path: str | Path, options: FitOptions | None = None) -> DemandProfile:
    """The demand profile of a request log, a trace or a GPU-job log; needs the extra `demand`."""
    from tripoint.adapters.demand_files import read_trace
    from tripoint.usecases.demand import fit_demand as fit

    return fit(read_trace, str(path), options)


def read_requests(path: str | Path, options: FitOptions | None = None) -> TraceRows:
    """The requests of a log one by one, to be played in trials; needs the extra `demand`."""
    from tripoint.adapters.demand_files import read_requests as read
    from tripoint.usecases.demand import FitOptions as Options

    return read(str(path), options or Options())


def read_profile(path: str | Path) -> DemandProfile:
    """A demand profile written earlier; raises `EstateError` where the file is not one."""
    from tripoint.adapters.profile_json import read_profile as read

    return read(Path(path))


def write_profile(path: str | Path, profile: DemandProfile) -> None:
    """Writes a demand profile as JSON, whole or not at all."""
    from tripoint.adapters.profile_json import write_profile as write

    write(Path(path), profile)


def read_plan(path: str | Path) -> Plan:
    """The plan in a `plan.json`, or its folder; raises `EstateError`, or `OptionError` where a folder holds none."""
    from tripoint.adapters.atomic_file import read_text
    from tripoint.adapters.plan_json import plan_file, plan_from_json

    file = plan_file(Path(path))
    return plan_from_json(read_text(file), file=str(file))


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


def read_routing_table(text: bytes | str) -> RoutingTable:
    """The routing table in a JSON document; raises `EstateError` where it is none."""
    from tripoint.adapters.table_json import table_from_json

    return table_from_json(text)


def routing_table_json(table: RoutingTable) -> bytes:
    """A routing table as JSON."""
    from tripoint.adapters.table_json import table_to_json

    return table_to_json(table)


def make_board(workers: int) -> int:
    """A file descriptor of shared memory that workers keep their common figures in."""
    from tripoint.adapters.board_mmap.board import make_board_file
    from tripoint.adapters.board_mmap.rates import rates_bytes

    return make_board_file(workers, rates_bytes(workers))


def open_board(descriptor: int, worker: int, workers: int) -> MmapBoard:
    """One worker's hand on the shared board."""
    from tripoint.adapters.board_mmap.board import MmapBoard

    return MmapBoard(descriptor, worker, workers)


def open_upstreams() -> Upstreams:
    """Connections to upstreams, made when first used."""
    from tripoint.adapters.upstream_http.pool import Upstreams

    return Upstreams()


def server_tls(certificate: str, key: str | None) -> ssl.SSLContext:
    """What callers are answered with over TLS; raises `OSError` where a file cannot be used."""
    from tripoint.adapters.upstream_http.trust import server_context

    return server_context(certificate, key)


def open_usage_segments(
    folder: Path, *, worker: int, incarnation: str, on_lost: Callable[[int], None]
) -> UsageSegments:
    """Where one worker appends its usage records."""
    from tripoint.adapters.usage_segments import UsageSegments

    return UsageSegments(folder, worker=worker, incarnation=incarnation, on_lost=on_lost)


def open_metrics_file(folder: Path, *, worker: int, incarnation: str) -> MetricsFile:
    """Where one worker keeps its counters for the others."""
    from tripoint.adapters.metrics_files import MetricsFile

    return MetricsFile(folder, worker=worker, incarnation=incarnation)


def fold_past_metrics(folder: Path, alive: Collection[str]) -> bool:
    """Puts the counters of workers that have ended into one file; False when the disk did not take it."""
    from tripoint.adapters.metrics_files import fold_past

    return fold_past(folder, alive)


def open_identity_provider(issuer: str, audience: str, *, ca_file: str | None, groups: str) -> Tokens:
    """Checks tokens of an OpenID Connect provider; its keys are fetched when the first one comes.

    Raises `OptionError` for an address no provider may have, or an authority that cannot be used.
    """
    from tripoint.adapters.oidc.fetch import Fetch
    from tripoint.adapters.oidc.issuer import Issuer
    from tripoint.adapters.oidc.tokens import TokenRules, Tokens

    return Tokens(Issuer(issuer, Fetch(ca_file).json), TokenRules(audience, groups))


def init_estate(template: str, folder: str | Path, *, force: bool = False) -> tuple[Path, ...]:
    """Writes a template's files into `folder` and names them; overwrites none unless `force`."""
    from tripoint.adapters.atomic_file import write_text as write
    from tripoint.usecases.init import init_estate as init

    return init(template, Path(folder), write, force=force)


def write_files(folder: str | Path, texts: Mapping[str, str], *, force: bool = False) -> tuple[Path, ...]:
    """Writes files by name into `folder` and names them; overwrites none unless `force`."""
    from tripoint.adapters.atomic_file import write_text as write
    from tripoint.usecases.init import write_new

    return write_new({Path(folder) / name: text for name, text in texts.items()}, write, force=force)


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


def local_model_server(model: str, name: str, *, is_embedding: bool, folder: str | Path, log: str) -> ModelServer:
    """A model server for this machine, not yet started: a tiny chat model of its own, or MiniLM for embeddings.

    `model` decides the weights, so that all sites of a model have the same; callers know it as `name`. Files that are
    made for this run, and the `log`, go into `folder`; converted weights are kept in the user's cache folder. Raises
    `MissingExtraError` without the extra `local`.
    """
    from tripoint.adapters.local_models import ModelServer, cache_folder, chat_model, embedding_model

    path = embedding_model(cache_folder()) if is_embedding else chat_model(Path(folder), model)
    return ModelServer(path, name, is_embedding=is_embedding, log=Path(folder) / log)


def count_usage_records(folder: str | Path) -> int:
    """Usage records of different requests on disk anywhere under `folder`; what is damaged does not count."""
    from tripoint.adapters.segment_read import SegmentDamage, read_segments

    folders = {path.parent for path in Path(folder).rglob("usage-*.seg")}
    found = (each for place in sorted(folders) for each in read_segments(place))
    return len({each.id for each in found if not isinstance(each, SegmentDamage)})


def usage_records(folder: str | Path) -> Iterator[UsageRecord]:
    """Usage records on disk anywhere under `folder`, each request once; what is damaged is passed over."""
    from tripoint.adapters.segment_read import SegmentDamage, read_segments

    seen: set[str] = set()
    for place in sorted({path.parent for path in Path(folder).rglob("usage-*.seg")}):
        for each in read_segments(place):
            if not isinstance(each, SegmentDamage) and each.id not in seen:
                seen.add(each.id)
                yield each


def read_sky_catalogue(path: str | Path) -> Iterator[CatalogueRow]:
    """The rows of a SkyPilot catalogue; raises `FileError` with the line."""
    from tripoint.adapters.price_files.skypilot_csv import read_catalogue as read

    return read(Path(path))


def read_price_map(path: str | Path) -> Iterator[MapEntry]:
    """The entries of a LiteLLM price map; raises `FileError` with line and column."""
    from tripoint.adapters.price_files.litellm_json import read_price_map as read

    return read(Path(path))


def _writer(folder: Path) -> Callable[[str, str], str]:
    def write(name: str, text: str) -> str:
        write_text(folder / name, text)
        return str(folder / name)

    return write
