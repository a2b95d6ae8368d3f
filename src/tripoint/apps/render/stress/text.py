"""What an estate withstood, as text: a line per scenario, what broke and where, plans made again."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType

from tripoint.apps.answer import plural
from tripoint.apps.render.plan_text.layout import lines, printed, table, titled
from tripoint.apps.render.resilience.dependencies import spread_text
from tripoint.apps.render.stress.figures import aim, aim_name, magnitude, share, span, usd
from tripoint.apps.render.stress.ranking import promised
from tripoint.apps.render.stress.yearly import passed_over_line, struck_line, unjudged_lines, yearly_part
from tripoint.domain.scenario import Scenario
from tripoint.domain.stress import Aim, Held, Remeasured, Replanned, StressReport, Verdict

_BROKEN, _UNTRIED = 16, 6


def stress_text(report: StressReport, *, is_full: bool = False) -> str:
    """The report as `tripoint stress` prints it."""
    by_scenario: dict[str, list[Verdict]] = {}
    for verdict in report.verdicts:
        by_scenario.setdefault(verdict.scenario, []).append(verdict)
    tried = [each for each in report.scenarios if each.id in by_scenario]
    parts: list[RenderableType] = [_overview(tried, by_scenario, is_searched=report.is_searched)]
    parts += _struck(report, by_scenario, is_full=is_full)
    broken = _broken(tried, by_scenario)
    if broken:
        shown = broken if is_full else broken[:_BROKEN]
        rest = [f"... {len(broken) - len(shown)} more with `--full`"] if len(shown) < len(broken) else []
        parts.append(titled("What breaks, and where", lines([*shown, *rest])))
    yearly = yearly_part(report, is_full=is_full)
    if yearly is not None:
        parts.append(yearly)
    if report.unjudged:
        parts.append(_shortened("Not judged here, and not counted as met", unjudged_lines(report), is_full=is_full))
    if report.replanned:
        parts.append(_plans(report.replanned, tried))
    if report.remeasured:
        parts.append(titled("Times by what was answered", lines([_remeasured(each) for each in report.remeasured])))
    if report.passed_over:
        said = [passed_over_line(each) for each in report.passed_over]
        parts.append(_shortened("Possibly not what was meant", said, is_full=is_full))
    if report.untried:
        told = [f"{each.scenario}: {each.why}" for each in report.untried]
        parts.append(_shortened("Not tried", told, is_full=is_full))
    return printed(parts).rstrip("\n") + "\n\n" + summary_line(report)


def _struck(report: StressReport, by_scenario: dict[str, list[Verdict]], *, is_full: bool) -> list[RenderableType]:
    """What was struck under scenarios that break something, or under all of them; nothing where each names it."""
    breaking = {name for name, found in by_scenario.items() if any(not held.is_met for v in found for held in v.held)}
    told = [
        struck_line(each) for each in report.struck if is_full or each.scenario in breaking or len(by_scenario) == 1
    ]
    return [_shortened("Struck, as the worst of several", told, is_full=is_full)] if told else []


def _shortened(title: str, told: Sequence[str], *, is_full: bool) -> RenderableType:
    """A list under its title, its first lines only unless all are wanted."""
    shown = told if is_full else told[:_UNTRIED]
    rest = [f"... {len(told) - len(shown)} more with `--full`"] if len(shown) < len(told) else []
    return titled(title, lines([*shown, *rest]))


def _remeasured(each: Remeasured) -> str:
    how = "times of their own" if each.is_own else f"the planner's times {each.ratio:.2f} times as long"
    return (
        f"{each.model} at {each.site}: {how}, from {plural(each.answers, 'answer')}, off by {each.error:.1%} per token"
    )


def summary_line(report: StressReport) -> str:
    """What it amounts to, in one line."""
    held = [each for verdict in report.verdicts for each in verdict.held]
    met = sum(each.is_met for each in held)
    outside = sum(verdict.outside for verdict in report.verdicts)
    tried = len({verdict.scenario for verdict in report.verdicts})
    when = f" in {report.period}" if report.period else ""
    unjudged = f" ({len(report.unjudged)} not judged)" if report.unjudged else ""
    yearly = report.usd_per_year
    loss = f"; expected annual loss {spread_text(yearly)} USD" if yearly is not None else ""
    asked = plural(len(held) + len(report.unjudged), "objective")
    return (
        f"{met} of {asked} met{unjudged} under {plural(tried, 'scenario')}, "
        f"{len(report.untried)} not tried; {plural(report.played, 'trial')}{when}, seed {report.seed}; "
        f"{outside:,.0f} served outside policy{loss}"
    )


def change_lines(report: StressReport, before: StressReport) -> list[str]:
    """What an earlier run met that this one does not, and the other way round."""
    now, then = _by_key(report), _by_key(before)
    shared = [key for key in now if key in then]
    lost = [key for key in shared if then[key] and not now[key]]
    gained = [key for key in shared if now[key] and not then[key]]
    told = [
        f"before and after, {plural(len(shared), 'objective')} tried in both runs: "
        + (f"{len(gained)} met now that were not, {len(lost)} no longer" if gained or lost else "the same are met")
    ]
    if report.period != before.period:
        told.append(f"  other periods: {before.period or 'unknown'} before, {report.period or 'unknown'} after")
    told += [f"  now met: {scenario}, {workload}: {aim_name(kind)}" for scenario, workload, kind in gained]
    return told + [f"  no longer met: {scenario}, {workload}: {aim_name(kind)}" for scenario, workload, kind in lost]


def _by_key(report: StressReport) -> dict[tuple[str, str, Aim], bool]:
    return {
        (verdict.scenario, verdict.workload, held.aim): held.is_met
        for verdict in report.verdicts
        for held in verdict.held
    }


def _overview(tried: Sequence[Scenario], by_scenario: dict[str, list[Verdict]], *, is_searched: bool) -> RenderableType:
    rows = [_row(each, by_scenario[each.id], is_searched=is_searched) for each in tried]
    columns = (("#", "r"), ("scenario", "l"), ("worst off", "l"), ("in time", "r"), ("outage", "r"), ("USD", "r"),
               ("margin", "r"), ("met", "r"), ("breaks at", "l"))  # fmt: skip
    return titled("Scenarios", table(columns, rows))


def _row(scenario: Scenario, verdicts: Sequence[Verdict], *, is_searched: bool) -> tuple[str, ...]:
    worst = min(promised(verdicts), key=lambda each: (_met(each), each.availability.mean))
    held = [each for verdict in verdicts for each in verdict.held]
    met = sum(each.is_met for each in held)
    return (
        str(scenario.number or ""),
        scenario.id,
        worst.workload,
        share(worst.availability.mean),
        span(worst.outage_s.p95),
        usd(sum(each.cost_delta_usd.mean for each in verdicts)),
        share(min(each.margin.worst for each in verdicts)),
        f"{met}/{len(held)}",
        _nearest(scenario, held) if is_searched else "",
    )


def _met(verdict: Verdict) -> float:
    return sum(each.is_met for each in verdict.held) / max(1, len(verdict.held))


def _nearest(scenario: Scenario, held: Sequence[Held]) -> str:
    """The smallest magnitude at which anything breaks; a dash where nothing does."""
    if not scenario.magnitudes:
        return ""
    knob = scenario.magnitudes[0]
    broken = [each.breaks_at for each in held if each.breaks_at is not None]
    if not broken:
        return "-"
    return magnitude(knob, min(broken) if knob.severe >= knob.mild else max(broken))


def _broken(tried: Sequence[Scenario], by_scenario: dict[str, list[Verdict]]) -> list[str]:
    found: list[str] = []
    for scenario in tried:
        for verdict in by_scenario[scenario.id]:
            for held in verdict.held:
                if not held.is_met:
                    found.append(_line(scenario, verdict, held))
    return found


def _line(scenario: Scenario, verdict: Verdict, held: Held) -> str:
    knob = scenario.magnitudes[0] if scenario.magnitudes else None
    where = ""
    if knob is not None and held.breaks_at is not None:
        where = f"; {aim_name(held.aim)} holds short of {knob.name} {magnitude(knob, held.breaks_at)}"
        if held.breaks_at == knob.mild:
            where = f"; not even at {knob.name} {magnitude(knob, knob.mild)}"
    limit = f" ({verdict.first_limit})" if verdict.first_limit else ""
    return f"{scenario.id}, {verdict.workload}: {aim(held)} in {share(held.met_share)} of trials{where}{limit}"


def _plans(replanned: Sequence[Replanned], tried: Sequence[Scenario]) -> RenderableType:
    knobs = {each.id: each.magnitudes[0] for each in tried if each.magnitudes}
    columns = (("scenario", "l"), ("at", "l"), ("as planned", "r"), ("held", "r"), ("new plan", "r"), ("regret", "r"),
               ("given up", "f"), ("first limit", "f"))  # fmt: skip
    rows = [
        (
            each.scenario,
            magnitude(knobs[each.scenario], each.magnitudes[knobs[each.scenario].name])
            if each.scenario in knobs
            else "",
            f"{each.usual_usd:,.0f}",
            "" if each.held_usd is None else f"{each.held_usd:,.0f}",
            "no plan" if each.new_usd is None else f"{each.new_usd:,.0f}",
            "" if each.regret_usd is None else usd(each.regret_usd),
            ", ".join(each.given_up) + (f" ({' + '.join(each.conflict)})" if each.conflict else ""),
            f"{each.first_limit} {each.first_limit_at}".strip(),
        )
        for each in replanned
    ]
    kept = [each.scenario for each in replanned if each.is_held]
    told = [f"{', '.join(kept)}: the search found nothing cheaper than the plan as it is, which is the new plan"]
    notes = [lines(told)] if kept else []
    return titled("Planned again, USD over the horizon", table(columns, rows), *notes)
