"""How good the plan is proven to be, what it was made from, and how to make it again."""

from __future__ import annotations

import shlex

from tripoint.apps.render.html.drawing.markup import Markup, breakable, el, join
from tripoint.apps.render.html.drawing.sections import Section
from tripoint.apps.render.html.drawing.tables import table
from tripoint.apps.render.reading.amounts import gap_percent, money_of
from tripoint.domain.errors import Finding
from tripoint.domain.plan import Plan, SolveSummary

_REPLAY = (
    "This report was drawn from plan.json beside it. The same estate, catalogue, options and version give the same "
    "plan; the digests above tell whether they are the same."
)


def certificate(plan: Plan) -> Section:
    """Incumbent, bound, gap, digests, and the command that replays it."""
    solve = plan.solve
    rows = [*(_solved(plan, solve) if solve else []), *_inputs(plan)]
    pairs = el("dl", [join(el("dt", name), el("dd", value)) for name, value in rows], class_="key-values")
    body = join(pairs, _replay(plan), _findings(plan))
    return Section(id="certificate", title="How sure this is, and how to replay it", message=_message(plan), body=body)


def _message(plan: Plan) -> str:
    solve = plan.solve
    if solve is None:
        return "The solver proved that no plan satisfies every rule at once."
    how = "ended before the gap asked for" if solve.strategy == "warm" else "was stopped early"
    end = f" The search {how}, so this is the best plan found so far." if solve.was_interrupted else ""
    return (
        f"No plan for this estate can cost less than {money_of(plan).full(solve.bound_usd)} discounted; this one is "
        f"within {gap_percent(solve.gap)} of that.{end}"
    )


def _solved(plan: Plan, solve: SolveSummary) -> list[tuple[str, str]]:
    money = money_of(plan)
    return [
        ("Status", str(plan.status)),
        ("This plan, discounted", money.full(solve.incumbent_usd)),
        ("Proven lower bound, discounted", money.full(solve.bound_usd)),
        ("Gap", gap_percent(solve.gap)),
        ("Charges, not discounted", money.full(solve.undiscounted_usd)),
        ("Stated penalties", money.full(solve.penalties_usd)),
        ("Strategy", solve.strategy),
        ("Time", f"{solve.seconds:.1f} s"),
        *([("Peak memory", f"{solve.peak_mb:,.0f} MB")] if solve.peak_mb else []),
        (
            "Program",
            f"{solve.columns:,} columns, {solve.rows:,} rows, {solve.integers:,} integers, {solve.nodes:,} nodes",
        ),
    ]


def _inputs(plan: Plan) -> list[tuple[str, str]]:
    currency = f"{plan.currency} at {plan.usd_per_unit:g} USD" if plan.currency != "USD" else "USD"
    return [
        ("Estate", plan.estate_digest),
        *(
            [("Demand observed", plan.demand.source), ("Estate as declared", plan.demand.declared_digest)]
            if plan.demand
            else []
        ),
        ("Catalogue", plan.catalog_digest),
        ("tripoint", f"{plan.tripoint_version}, schema {plan.schema}"),
        ("Currency", currency),
        ("Discount rate", f"{plan.discount_rate:.2%} per year"),
        ("Options", ", ".join(f"{name}={value}" for name, value in sorted(plan.options.items())) or "none"),
    ]


def _replay(plan: Plan) -> Markup:
    flags = [f"--{name} {shlex.quote(plan.options[name])}" for name in ("gap", "seed") if name in plan.options]
    demand = ["--demand plan.json"] if plan.demand else []
    commands = ["tripoint report plan.json", " ".join(["tripoint plan ESTATE", *flags, *demand])]
    return join(el("h3", "Replay"), el("p", _REPLAY), el("pre", el("code", "\n".join(commands))))


def _findings(plan: Plan) -> Markup | None:
    if not plan.findings:
        return None
    rows = [
        (join(finding.code, " ", str(finding.severity)), finding.message, finding.hint or "–", _where(finding))
        for finding in plan.findings
    ]
    columns = (("Code", "l"), ("What", "p"), ("What to do", "p"), ("Where", "w"))
    return join(el("h3", "Findings that did not stop the run"), table(columns, rows))


def _where(finding: Finding) -> Markup:
    """The line in a file, named without its folders, and the field there; a dash where it is the estate as a whole."""
    place = finding.place().rsplit("/", 1)[-1]
    lines = [breakable(place)] if ":" in place else []
    if finding.path:
        lines.append(el("code", breakable(finding.path)))
    return join(lines[0], el("br"), lines[1:]) if len(lines) > 1 else join(lines or "–")
