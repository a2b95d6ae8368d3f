"""`tripoint stress`: what an estate and its plan withstand."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tripoint.apps import trials as playing
from tripoint.apps import wiring
from tripoint.apps.answer import Answer, answering
from tripoint.apps.terminal.books import measured_answers
from tripoint.apps.terminal.flags import FileToRead, NamedPath, time_limit_option
from tripoint.apps.terminal.interruption import Interruption
from tripoint.apps.terminal.planning import planned
from tripoint.apps.terminal.progress import counting_display

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tripoint.domain.scenario import Scenario
    from tripoint.domain.stress import StressReport


@click.command()
@click.argument("estate", type=NamedPath())
@click.option("--plan", "given", metavar="PLAN", type=FileToRead(),
              help="The plan.json to try, or the folder that holds it; else the estate is planned first.")  # fmt: skip
@click.option("--period", metavar="LABEL",
              help="Period of the plan to play trials in, such as 2028-Q1; that of today when not given.")  # fmt: skip
@click.option("--only", metavar="ID", multiple=True, help="Try this scenario only; may be given several times.")
@click.option("--scenarios", "own", metavar="FILE", type=NamedPath(),
              help="Scenarios of your own beside the catalogue's, a YAML file or folder.")  # fmt: skip
@click.option("--trials", metavar="N", type=click.IntRange(min=1, max=100_000), default=200, show_default=True,
              help="Trials of each scenario.")  # fmt: skip
@click.option("--seed", metavar="N", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True,
              help="Seed of every draw: the same seed, the same trials.")  # fmt: skip
@click.option("--compound", is_flag=True,
              help="Also try pairs of the ten scenarios that matter most, over all of their magnitudes.")  # fmt: skip
@click.option("--no-search", is_flag=True, help="Leave out the search for where objectives break.")
@time_limit_option("Time limit of each plan made again, seconds; a search for an edge makes several.", default=30.0)
@click.option("--measured", metavar="SOURCE",
              help="Take service times from recorded traffic: `ledger` or `ledger:URL`.")  # fmt: skip
@click.option("--trace", "traces", metavar="WORKLOAD=FILE", multiple=True,
              help="Take this workload's arrivals from a log (any that `demand fit` reads); its demand sets the rate.",
              )  # fmt: skip
@click.option("--spot", metavar="FILE",
              help="Let spot nodes come and go as in this trace, JSON, CSV or Parquet; FILE#SERIES takes one of many.",
              )  # fmt: skip
@click.option("--on", "place", metavar="PLACE", default=playing.PROCESSES, show_default=True,
              help=f"Where trials are played: {', '.join(playing.PLACES)}.")  # fmt: skip
@click.option("--out", metavar="DIR", type=NamedPath(file_okay=False),
              help="Write stress.html and stress.json here, and keep finished trials: an interrupted run resumes.",
              )  # fmt: skip
@click.option("--before", metavar="DIR", type=FileToRead(),
              help="The --out of an earlier run with the same seed, to show what a change of estate or plan does.",
              )  # fmt: skip
@click.option("--full", is_flag=True, help="Print every row, not only those that fit two screens.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@answering
def command(
    estate: str,
    given: str | None,
    period: str | None,
    only: tuple[str, ...],
    own: str | None,
    trials: int,
    seed: int,
    compound: bool,
    no_search: bool,
    time_limit: float,
    measured: str | None,
    traces: tuple[str, ...],
    spot: str | None,
    place: str,
    out: str | None,
    before: str | None,
    full: bool,
    quiet: bool,
) -> Answer:
    """Pressure-test an estate and its plan, and report what breaks and where.

    Every scenario of the catalogue is simulated, through the gateway's own routing and admission code or as hourly
    flows, or planned again; `tripoint scenarios list` shows which. Ends with exit code 1 when an objective is not met
    in 95 % of the trials.

    For example: tripoint stress my-estate --plan answer --out answer
    """
    from tripoint.apps.render.stress.text import change_lines, stress_text
    from tripoint.engines.stress.agenda.choice import chosen
    from tripoint.usecases.stressing.options import StressOptions

    earlier = playing.read_stress(before) if before else None
    scenarios = chosen(playing.load_scenarios(own), only)
    if spot:
        scenarios = playing.with_spot(scenarios, spot)
    catalog = wiring.load_catalog()
    loaded = wiring.load_estate(estate, catalog=catalog)
    plan = planned(loaded, 0.001, 60.0, given=given, catalog=catalog, is_quiet=quiet)
    options = StressOptions(
        trials=trials,
        seed=seed,
        only=only,
        period=period or "",
        is_compound=compound,
        answers=measured_answers(measured) if measured else {},
        traces=playing.read_traces(traces, loaded),
        longest_s=time_limit,
        **({"search_trials": 0} if no_search else {}),
    )
    if out:
        wiring.open_folder(out)
    with counting_display(is_quiet=quiet) as tell, Interruption(_told) as interruption:
        watch = playing.Watched(folder=Path(out) if out else None, tell=tell, should_stop=interruption.was_asked)
        report = playing.stress(loaded, catalog, plan, scenarios, options, trials=playing.trials_on(place), watch=watch)
    _note(report, (*_unlike(report, earlier), *_unpaired(report, scenarios, is_compound=compound)))
    written = playing.write_stress(report, out, earlier) if out else ()
    changes = change_lines(report, earlier) if earlier is not None else ()
    text = "\n".join([stress_text(report, is_full=full), *changes, *(f"written: {path}" for path in written)])
    return Answer(text=text, payload=_payload(report, written), ok=report.is_met)


def _note(report: StressReport, notes: Sequence[str]) -> None:
    """Tells what of the scenarios hits nothing, and what is to be borne in mind."""
    from tripoint.apps.render.stress.yearly import passed_over_line

    for said in report.passed_over:
        click.echo(f"warning: {passed_over_line(said)}", err=True)
    for note in notes:
        click.echo(f"note: {note}", err=True)


def _unlike(report: StressReport, before: StressReport | None) -> list[str]:
    """Why the reports before and after are not of the same draws: part of what differs is chance then."""
    if before is None:
        return []
    pairs = (("seed", before.seed, report.seed), ("trials", before.trials, report.trials))
    return [
        f"`--before` is of another run: {name} {was} before, {now} after; part of what differs is chance"
        for name, was, now in pairs
        if was != now
    ]


def _unpaired(report: StressReport, scenarios: Sequence[Scenario], *, is_compound: bool) -> list[str]:
    """Why `--compound` added nothing."""
    if not is_compound or len(report.scenarios) > len(scenarios):
        return []
    if len(scenarios) == 1:
        return ["one scenario: no pairs to try"]
    return ["no pairs to try: a pair needs two scenarios with a `frequency` that one mode can play"]


def _told() -> None:
    click.echo("stopping after the trials under way; press Ctrl-C again to give up", err=True)


def _payload(report: StressReport, written: tuple[str, ...]) -> dict[str, object]:
    from tripoint.apps.render.stress.text import summary_line

    return {"summary": summary_line(report), "written": list(written), "report": asdict(report)}
