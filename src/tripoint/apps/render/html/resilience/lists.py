"""Tables of an assessment: what is next, objectives on each ground, single points, ways out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tripoint.apps.render.html.drawing.markup import Content, Markup, el, join, prose
from tripoint.apps.render.html.drawing.sections import Section
from tripoint.apps.render.html.drawing.tables import table
from tripoint.apps.render.reading.amounts import plural
from tripoint.apps.render.resilience.dependencies import basis_lines, knot_texts, often, service_lines
from tripoint.apps.render.resilience.recovery import alone_among, asked_text, back_text, duration, open_text, way_lines
from tripoint.apps.render.resilience.scores import GROUNDS, STANDINGS, cost_text, drill_lines
from tripoint.domain.cut import DependencyReport, LockIn, SinglePoint
from tripoint.domain.score import NextStep, Scores

if TYPE_CHECKING:
    from tripoint.usecases.assess_recovery import Assessment

_MOST_NAMES = 6


def steps(scores: Scores) -> Section:
    """The next things to do, each with its cost."""
    columns = (("", "r"), ("Do", "p"), ("Raises", "l"), ("By objectives", "r"), ("Costs", "w"), ("Avoids a year", "r"),
               ("The cost is", "p"))  # fmt: skip
    rows = [_step(number, each) for number, each in enumerate(scores.steps, 1)]
    message = scores.steps[0].does if scores.steps else "nothing is missing that has a price"
    return Section(
        id="next",
        title="What to do next",
        message=prose(f"First: {message}."),
        body=join(table(columns, rows) if rows else None, [_drills(each) for each in drill_lines(scores)]),
    )


def _drills(words: str) -> Markup:
    return el("p", prose(f"{words[:1].upper()}{words[1:]}."), class_="note")


def _step(number: int, each: NextStep) -> tuple[str, ...]:
    avoids = "–" if not each.avoids_usd_per_year else f"{each.avoids_usd_per_year:,.0f} USD"
    return (
        str(number), each.does, GROUNDS[each.raises], str(each.objectives), cost_text(each), avoids, each.cost_basis
    )  # fmt: skip


def objectives(found: Assessment) -> Section:
    """Every objective: what is asked, what is reached, and how it stands on each ground."""
    by_key = [
        {(each.workload, each.disruption): each for each in score.graded}
        for score in (found.scores.design, found.scores.simulation, found.scores.drill)
    ]
    columns = (("Workload", "l"), ("Loses", "l"), ("Asked", "p"), ("Back in", "r"), ("Data", "r"), ("By design", "p"),
               ("By simulation", "w"), ("By drill", "w"))  # fmt: skip
    alone = alone_among(found.asked, found.dependencies)
    rows = []
    for each in found.asked:
        stands = [score[each.workload, each.disruption] for score in by_key]
        told = [
            f"{STANDINGS[one.standing]}: {one.because}" if one.because else STANDINGS[one.standing] for one in stands
        ]
        rows.append((each.workload, each.disruption.value.replace("_", " "), asked_text(each.objective),
                     back_text(each, alone), duration(each.rpa_s) if each.stores else "–", *told))  # fmt: skip
    missed = len(found.missed)
    message = f"{plural(missed, 'objective')} missed by design." if missed else "By design every objective is met."
    if not rows:
        message = "No objective is declared: say under `recovery.objectives` how soon each workload must be back."
    remedies = [
        el("li", prose(f"{each.asked}: {each.does}{_price(each.usd_per_month)}{open_text(each)}"))
        for each in found.remedies
    ]
    notes = [_note(f"{each}.") for each in service_lines(alone)]
    body = join(table(columns, rows) if rows else None, notes, el("ul", remedies) if remedies else None, _ways(found))
    return Section(id="objectives", title="What is asked, and how it is known", message=prose(message), body=body)


def _ways(found: Assessment) -> list[Markup]:
    """What every time is made of, as a list under its heading; nothing where no time has steps."""
    told = [el("li", prose(each)) for each in way_lines(found.asked)]
    return [el("p", "What the time is made of", class_="caption"), el("ul", told)] if told else []


def _price(usd: float) -> str:
    return f" ({usd:,.0f} USD a month more)" if usd else ""


def points(report: DependencyReport) -> Section:
    """Everything that takes a workload down alone, and what is not said."""
    columns = (("Alone takes down", "l"), ("Times a year", "r"), ("Workload-hours a year", "r"),
               ("USD a year", "r"), ("Workloads", "p"))  # fmt: skip
    most = max((_weight(each, report) for each in report.points), default=0.0)
    rows = [_point(each, _weight(each, report) / most if most > 0 else 0.0, report) for each in report.points]
    message = _most_lost(report.points[0]) if report.points else "Nothing takes a workload down alone."
    notes = [f"{each[:1].upper()}{each[1:]}." for each in basis_lines(report)]
    notes += [f"In a circle, none can start first: {knot}." for knot in knot_texts(report)]
    if report.undeclared:
        named = ", ".join(name.replace("_", " ") for name in report.undeclared)
        notes.append(f"Nothing is said about {named}; declare them under dependencies, every estate has them.")
    body = join(table(columns, rows) if rows else None, [_note(each) for each in notes])
    return Section(id="points", title="Single points of failure", message=message, body=body)


def _most_lost(first: SinglePoint) -> str:
    """What the first row says: money where all is priced, hours where not."""
    if first.usd_per_year:
        return f"Most is lost to {first.text}: {first.usd_per_year:,.0f} USD a year."
    return f"Most is lost to {first.text}: {first.hours_per_year:.1f} workload-hours a year."


def _weight(each: SinglePoint, report: DependencyReport) -> float:
    """What rows are ordered by: money where hours have a price, else hours."""
    return each.hours_per_year if report.usd_per_year is None else each.usd_per_year or 0.0


def _point(each: SinglePoint, part: float, report: DependencyReport) -> tuple[Content, ...]:
    bar = el("span", class_="bar", style=f"width:{part * 100:.0f}%", aria_hidden="true") if part > 0 else None
    usd = "–" if each.usd_per_year is None else f"{each.usd_per_year:,.0f}"
    hours, is_priced = f"{each.hours_per_year:.2f}", report.usd_per_year is not None
    return (
        each.text, often(each.per_year), hours if is_priced else join(hours, bar),
        join(usd, bar) if is_priced else usd, _workloads(each.workloads, len(report.reliances)),
    )  # fmt: skip


def _workloads(names: tuple[str, ...], many: int) -> str:
    """Names, as many as a line or two hold."""
    if len(names) == many > _MOST_NAMES:
        return f"all {many}"
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _note(words: str) -> Markup:
    return el("p", words, class_="note")


def ways_out(report: DependencyReport) -> Section:
    """How long leaving takes and what it costs, part by part."""
    columns = (("Leaving", "l"), ("Days", "r"), ("Move", "r"), ("Rebuild", "r"), ("Test", "r"), ("USD", "r"),
               ("Transfer", "r"), ("Both paid", "r"), ("Owed", "r"), ("Others", "r"), ("Tested", "r"),
               ("Only there", "p"), ("Stranded", "p"))  # fmt: skip
    slowest = report.lockins[0]
    message = f"Leaving {slowest.text} takes longest: {slowest.exit_days:,.0f} days and {slowest.exit_usd:,.0f} USD."
    return Section(id="exits", title="Ways out", message=message, body=table(columns, map(_way, report.lockins)))


def _way(each: LockIn) -> tuple[str, ...]:
    return (
        each.text, f"{each.exit_days:,.0f}", f"{each.move_days:.1f}", f"{each.rebuild_days.value:g}",
        f"{each.revalidate_days.value:g}", f"{each.exit_usd:,.0f}", f"{each.egress_usd:,.0f}",
        f"{each.dual_run_usd:,.0f}", f"{each.commitment_usd:,.0f}", str(each.substitutes), str(each.tested),
        ", ".join(each.surface) or "–", ", ".join(each.stranded) or "–",
    )  # fmt: skip
