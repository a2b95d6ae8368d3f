"""Chooses where trials are played and where finished ones are kept: the wiring of `tripoint stress`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tripoint.domain.catalog import Catalog
    from tripoint.domain.plan import Plan
    from tripoint.domain.scenario import Scenario, Strike
    from tripoint.domain.source import LoadedEstate
    from tripoint.domain.stress import Order, StressReport, Trial
    from tripoint.engines.sizing.demand.trace import TraceRows
    from tripoint.engines.stress.playing import Player
    from tripoint.ports import Trials
    from tripoint.usecases.stressing.options import StressOptions

HERE, PROCESSES, RAY = "here", "processes", "ray"
_GAP = 1e-3
"""How close to the best a changed estate is planned: as `tripoint plan` does."""
PLACES = (PROCESSES, RAY, HERE)
"""Where trials may be played."""


def trials_on(place: str, *, processes: int | None = None) -> Trials:
    """What plays trials `here`, on the `processes` of this machine, or on a `ray` cluster.

    Raises `MissingExtraError` without the extra `ray`, `OptionError` for any other place.
    """
    from tripoint.adapters.trials_process import ProcessTrials
    from tripoint.domain.errors import OptionError

    if place == RAY:
        from tripoint.adapters.trials_ray import RayTrials

        return RayTrials()

    if place not in PLACES:
        raise OptionError(f"trials cannot run on `{place}`", hint=f"name one of {', '.join(PLACES)}")
    return ProcessTrials(1 if place == HERE else processes)


def read_traces(pairs: Sequence[str], loaded: LoadedEstate) -> dict[str, TraceRows]:
    """Requests of logs by workload, from `WORKLOAD=FILE`; raises `OptionError` for what is none."""
    from tripoint.apps.wiring import read_requests
    from tripoint.domain.errors import OptionError
    from tripoint.domain.findings import did_you_mean

    known = [each.id for each in loaded.estate.workloads if each.kind.answers_requests]
    found: dict[str, TraceRows] = {}
    for pair in pairs:
        workload, _, file = pair.partition("=")
        if not file:
            raise OptionError(f"`--trace {pair}` names no file", hint="write it as `--trace WORKLOAD=FILE`")
        if workload not in known:
            hint = did_you_mean(workload, known) or f"those that answer requests: {', '.join(known) or 'none'}"
            raise OptionError(f"`--trace {pair}`: no workload that answers requests is called `{workload}`", hint=hint)
        try:
            found[workload] = read_requests(file)
        except OptionError as error:
            hint = "logs that `demand fit` reads without options can be played; name a unit as in `arrival_s`"
            raise OptionError(f"`--trace {pair}`: {error.message}", hint=hint) from error
    return found


def play_trials(
    play: Callable[[Order], Trial],
    orders: Sequence[Order],
    trials: Trials,
    *,
    keep: tuple[Path, str] | None = None,
    progress: Callable[[int, int], None] = lambda done, all_of_them: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> tuple[Trial, ...]:
    """The trials in the order of `orders`; fewer when `should_stop` ended it early.

    `keep` is a folder and the digest of everything that decides the trials: those finished in an earlier run of the
    same are not played again. `progress` is told how many trials are there and how many there will be.
    """
    from tripoint.adapters.trial_file import TrialFile
    from tripoint.usecases.trials import Watch
    from tripoint.usecases.trials import play_trials as run

    if keep is None:
        return run(trials, play, orders, Watch(finished={}, progress=progress, should_stop=should_stop))
    with TrialFile(*keep) as file:
        watch = Watch(finished=file.finished(), keep=file.keep, progress=progress, should_stop=should_stop)
        return run(trials, play, orders, watch)


def load_scenarios(path: str | Path | None = None) -> tuple[Scenario, ...]:
    """The catalogue's scenarios, then those of a file or folder of one's own.

    Raises `EstateError` with every finding where a file cannot be used.
    """
    from tripoint.adapters.scenarios_yaml import read_scenarios
    from tripoint.usecases.scenarios import load_scenarios as load

    return load(read_scenarios, path)


def with_spot(scenarios: Sequence[Scenario], said: str) -> tuple[Scenario, ...]:
    """The scenarios, those whose spot nodes come and go as in a trace now as in this one: `FILE` or `FILE#SERIES`.

    Raises `OptionError` where the file is no trace, or no scenario follows one.
    """
    from dataclasses import replace

    from tripoint.adapters.capacity_traces import located, read_capacity_traces
    from tripoint.domain.errors import OptionError
    from tripoint.engines.stress.scenarios.knobs import traces_of

    def follows(strike: Strike) -> bool:
        return strike.hits == "pool:spot" and bool(traces_of(strike))

    if not any(follows(strike) for each in scenarios for strike in each.strikes):
        raise OptionError("`--spot` has nothing to act on: no scenario chosen follows a trace of spot nodes",
                          hint="try `--only spot-trace`, or leave `--only` out")  # fmt: skip
    path, wanted = located(Path(), said)
    try:
        traces = read_capacity_traces(path, wanted)
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        hint = "JSON as SkyPilot's spot traces, or a CSV or Parquet table with `value` and `gap_seconds`"
        raise OptionError(f"`--spot {said}`: {reason}", hint=hint) from error
    return tuple(
        replace(
            each,
            strikes=tuple(replace(s, trace=said, traces=traces, left=()) if follows(s) else s for s in each.strikes),
        )
        for each in scenarios
    )


def scenario_sources(path: str | Path | None = None) -> dict[str, str]:
    """Source keys of the scenarios' figures, in words; raises as `load_scenarios` does."""
    from tripoint.adapters.scenarios_yaml import read_scenarios

    own = read_scenarios(path)[0].sources if path is not None else {}
    return {**read_scenarios()[0].sources, **own}


def stress(
    loaded: LoadedEstate,
    catalog: Catalog,
    plan: Plan,
    scenarios: Sequence[Scenario],
    options: StressOptions,
    *,
    trials: Trials | None = None,
    watch: Watched | None = None,
) -> StressReport:
    """What an estate and its plan withstand; raises `OptionError` for a plan of another estate or a period it lacks."""
    from dataclasses import replace

    from tripoint import __version__
    from tripoint.adapters.solver_highs import HighsSolver
    from tripoint.apps.settings import read_settings
    from tripoint.engines.placement.milp.program import SolveLimits
    from tripoint.engines.stress.stations.observed import remeasured as with_answers
    from tripoint.engines.stress.survey.days import day_tried
    from tripoint.usecases.replan import Replanning
    from tripoint.usecases.stress import stress as run
    from tripoint.usecases.stressing.subject import subject_of

    settings = read_settings()
    watching = watch or Watched()
    tried = plan_digest(plan)
    day = day_tried(plan, options.period, settings.today)
    subject = subject_of(loaded, catalog, plan, today=day, digests=(tried, __version__))
    if options.answers:
        world, remeasured = with_answers(subject.world, options.answers)
        subject = replace(subject, world=world, remeasured=remeasured)
    if options.traces:
        subject = replace(subject, world=replace(subject.world, traces=options.traces))
    place = trials or trials_on(PROCESSES)
    given = (repr(scenarios), repr(subject.remeasured and subject.world.places), repr(options.traces or ""))
    when = f"{subject.period} {day:%Y-%m}"  # the period says what serves; node-hours are priced by month
    decides = (loaded.digest, catalog.digest, tried, __version__, str(options.seed), when, *given)
    keep = None if watching.folder is None else (watching.folder, _digest("\0".join(decides)))

    def runs(player: Player, orders: Sequence[Order], phase: str) -> tuple[Trial, ...]:
        found = play_trials(
            player,
            orders,
            place,
            keep=keep,
            progress=lambda done, of_all: watching.tell(phase, done, of_all),
            should_stop=watching.should_stop,
        )
        if len(found) < len(orders):
            raise KeyboardInterrupt("interrupted; with `--out` finished trials are kept and not played again")
        return found

    limits = SolveLimits(gap=_GAP, seconds=options.longest_s, threads=settings.threads)
    planning = Replanning(solver=HighsSolver(), limits=limits, today=settings.today, should_stop=watching.should_stop)

    def replanner(loaded: LoadedEstate, catalog: Catalog, *, is_explained: bool) -> Plan:
        watching.tell("planning again", 0, 0)
        return planning(loaded, catalog, is_explained=is_explained)

    return run(subject, scenarios, options, runs, replanner)


class Watched(NamedTuple):
    """How a run is watched, stopped, and gone on with."""

    folder: Path | None = None
    """Where finished trials are kept; nowhere when `None`."""
    tell: Callable[[str, int, int], None] = lambda phase, done, of_all: None
    """Called with a phase, the trials that are there, and all of them (0 where nobody knows)."""
    should_stop: Callable[[], bool] = lambda: False
    """True to end early."""


def write_stress(report: StressReport, folder: str | Path, before: StressReport | None = None) -> tuple[str, ...]:
    """Writes `stress.html` and `stress.json` into a folder, each whole or not at all; their paths.

    `before` is the report of the same estate without a proposed change, told beside this one.
    """
    from tripoint.adapters.atomic_file import write_text
    from tripoint.adapters.stress_json import stress_to_json
    from tripoint.apps.render.html.stress.page import stress_html

    texts = {"stress.html": stress_html(report, before), "stress.json": stress_to_json(report)}
    for name, text in texts.items():
        write_text(Path(folder) / name, text)
    return tuple(str(Path(folder) / name) for name in texts)


def read_stress(path: str | Path) -> StressReport:
    """The report in a `stress.json`, or in a folder that holds one; raises `EstateError` where it is none."""
    from tripoint.adapters.atomic_file import read_text
    from tripoint.adapters.stress_json import stress_from_json

    file = Path(path) / "stress.json" if Path(path).is_dir() else Path(path)
    return stress_from_json(read_text(file), file=str(path))


def plan_digest(plan: Plan) -> str:
    """What tells whether trials were played with this very plan."""
    from tripoint.adapters.plan_json import plan_to_json

    return _digest(plan_to_json(plan))


def _digest(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode("utf-8")).hexdigest()
