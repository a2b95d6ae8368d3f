"""What pictures leave out: new plans, every verdict, and scenarios that were not tried."""

from __future__ import annotations

from tripoint.apps.render.html.drawing.markup import Markup, el, join, prose
from tripoint.apps.render.html.drawing.sections import Section
from tripoint.apps.render.html.drawing.tables import table
from tripoint.apps.render.reading.amounts import plural
from tripoint.apps.render.stress.figures import aim, magnitude, share, span, usd
from tripoint.apps.render.stress.yearly import reason, total_line, yearly_row
from tripoint.domain.scenario import Magnitude
from tripoint.domain.stress import Remeasured, Replanned, StressReport, Verdict


def replanned(report: StressReport) -> Section:
    """Scenarios that last: what holding on costs, what a new plan costs, what has to be given up."""
    knobs = {each.id: each.magnitudes[0] for each in report.scenarios if each.magnitudes}
    columns = (("Scenario", "l"), ("At", "l"), ("As planned", "r"), ("Held on to", "r"), ("New plan", "r"),
               ("Regret of holding on", "r"), ("Given up", "w"), ("First limit", "w"))  # fmt: skip
    body = table(columns, [_plan(each, knobs) for each in report.replanned], "USD over the horizon")
    return Section(id="anew", title="What lasts is planned again", message=_message(report), body=body)


def _message(report: StressReport) -> str:
    without = [each for each in report.replanned if each.new_usd is None or each.given_up]
    regrets = [(each.regret_usd, each.scenario) for each in report.replanned if each.regret_usd is not None]
    verbs = "that lasts was" if len(report.replanned) == 1 else "that last were"
    told = f"{plural(len(report.replanned), 'scenario')} {verbs} planned again"
    if without:
        told += f"; under {', '.join(each.scenario for each in without)} not everything can be kept"
    if regrets and max(regrets)[0] > 0:
        usd_, scenario = max(regrets)
        told += f"; holding on to the plan costs most under {scenario} ({usd(usd_)} USD)"
    if kept := [each.scenario for each in report.replanned if each.is_held]:
        told += f"; under {', '.join(kept)} the search found nothing cheaper than the plan as it is"
    return told + "."


def _plan(each: Replanned, knobs: dict[str, Magnitude]) -> tuple[str, ...]:
    knob = knobs.get(each.scenario)
    at = "" if knob is None else magnitude(knob, each.magnitudes.get(knob.name, knob.usual))
    given_up = ", ".join(each.given_up) + (f" ({' + '.join(each.conflict)})" if each.conflict else "")
    return (
        each.scenario, at, f"{each.usual_usd:,.0f}",
        "not possible" if each.held_usd is None else f"{each.held_usd:,.0f}",
        "no plan" if each.new_usd is None else f"{each.new_usd:,.0f}",
        "–" if each.regret_usd is None else usd(each.regret_usd),
        given_up or "–", f"{each.first_limit} {each.first_limit_at}".strip() or "–",
    )  # fmt: skip


def yearly(report: StressReport) -> Section:
    """What every scenario is expected to take away in a year."""
    columns = (("Scenario", "l"), ("Times a year", "r"), ("Workload-hours lost a year", "r"), ("USD lost a year", "r"),
               ("USD more spent a year", "r"))  # fmt: skip
    body = table(columns, [yearly_row(each) for each in report.losses])
    note = (
        "How often each comes, on all things it may strike, times what its trials lost, with the 90 % interval that "
        "uncertain rates and few trials leave. Each is counted as if it came by itself; pairs and what is planned "
        "again are left out."
    )
    message = total_line(report)
    return Section(
        id="yearly", title="Loss in a year", message=prose(f"{message[0].upper()}{message[1:]}."),
        body=join(body, el("p", note, class_="note")),
    )  # fmt: skip


def figures(report: StressReport) -> Section:
    """Every verdict as numbers."""
    columns = (("Scenario", "l"), ("Workload", "l"), ("In time", "r"), ("5 to 95 %", "r"), ("Late", "r"),
               ("Refused", "r"), ("Lost", "r"), ("Outage", "r"), ("Data age", "r"), ("Queue p99", "r"),
               ("Cost, USD", "r"), ("Margin", "r"), ("Met", "r"), ("First limit", "w"),
               ("Reached and asked", "p"))  # fmt: skip
    rows = table(columns, [_verdict(each) for each in report.verdicts])
    folded = el("details", el("summary", plural(len(report.verdicts), "verdict")), rows)
    message = "Means over trials; outage, data age and queue are what 95 % of trials stayed below."
    body = join(folded, _struck(report), _remeasured(report), _unjudged(report), _untried(report), _passed_over(report))
    return Section(id="figures", title="Every figure", message=message, body=body)


def _verdict(each: Verdict) -> tuple[str, ...]:
    return (
        each.scenario, each.workload, share(each.availability.mean),
        f"{share(each.availability.p5)} to {share(each.availability.p95)}",
        "–" if each.late is None else share(each.late.mean), share(each.shed.mean), share(each.lost.mean),
        span(each.outage_s.p95), span(each.stale_s.p95), f"{each.wait_p99_ms.p95:,.0f} ms",
        usd(each.cost_delta_usd.mean), share(each.margin.worst),
        f"{sum(held.is_met for held in each.held)}/{len(each.held)}", each.first_limit or "–",
        "; ".join(aim(held) for held in each.held) or "–",
    )  # fmt: skip


def _remeasured(report: StressReport) -> Markup | None:
    if not report.remeasured:
        return None
    columns = (("Model", "l"), ("Site", "l"), ("Answers", "r"), ("Against the catalogue", "r"), ("Error", "r"))
    rows = [
        (each.model, each.site, f"{each.answers:,}", _against(each), share(each.error)) for each in report.remeasured
    ]
    return table(columns, rows, "Times taken from what was really answered; error of the time per token, median")


def _against(each: Remeasured) -> str:
    return f"{each.ratio:.2f} times as long" + ("" if each.is_own else ", scaled as a whole")


def _unjudged(report: StressReport) -> Markup | None:
    if not report.unjudged:
        return None
    rows = [(each.scenario, each.workload, reason(each)) for each in report.unjudged]
    columns = (("Scenario", "l"), ("Workload", "l"), ("Why its trials cannot tell", "p"))
    return table(columns, rows, "Not judged here, and not counted as met")


def _struck(report: StressReport) -> Markup | None:
    if not report.struck:
        return None
    rows = [(each.scenario, ", ".join(each.ids)) for each in report.struck]
    return table((("Scenario", "l"), ("Struck", "p")), rows, "Struck, as the worst of several")


def _passed_over(report: StressReport) -> Markup | None:
    if not report.passed_over:
        return None
    rows = [(each.scenario, str(each.strike), each.why) for each in report.passed_over]
    return table(
        (("Scenario", "l"), ("Strike", "r"), ("Why it hits nothing", "p")), rows, "Possibly not what was meant"
    )


def _untried(report: StressReport) -> Markup | None:
    if not report.untried:
        return None
    rows = [(each.scenario, each.why) for each in report.untried]
    return table((("Scenario", "l"), ("Why it means nothing here", "p")), rows, "Not tried, and not counted as met")
