"""Scenarios as a table, and one as the YAML it could be read from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields

from tripoint.apps.render.plan_text.layout import printed, table
from tripoint.domain.provenance import Provenance
from tripoint.domain.scenario import OWN_JUDGEMENT, SCENARIOS_VERSION, CapacityTrace, Magnitude, Scenario, Strike


def catalogue_text(scenarios: Sequence[Scenario]) -> str:
    """A line per scenario."""
    columns = (("#", "r"), ("id", "l"), ("title", "f"), ("mode", "l"), ("times a year", "r"), ("first knob", "l"))
    rows = [
        (
            str(each.number or ""),
            each.id,
            each.title,
            str(each.mode),
            "" if each.frequency is None else f"{each.frequency.per_year:g}",
            _range(each.magnitudes[0]) if each.magnitudes else "",
        )
        for each in scenarios
    ]
    return printed([table(columns, rows)])


def scenario_text(scenario: Scenario, sources: Mapping[str, str]) -> str:
    """The scenario as YAML, with what its sources are as comments; it reads back to the same."""
    lines = [f"apiVersion: {SCENARIOS_VERSION}", "scenarios:", f"  - id: {_scalar(scenario.id)}"]
    lines += [f"    {name}: {_scalar(value)}" for name, value in _plain(scenario)]
    if scenario.magnitudes:
        lines += ["    magnitudes:", *(f"      - {_magnitude(each)}" for each in scenario.magnitudes)]
    lines += ["    strikes:", *(f"      - {_strike(each)}" for each in scenario.strikes)]
    said = scenario.frequency
    if said is not None:
        figures = f"per_year: {said.per_year:g}, low: {said.low:g}, high: {said.high:g}"
        lines.append(f"    frequency: {{{figures}{_from(said.provenance)}}}")
    used = _used(scenario)
    return "\n".join([*lines, *(f"# {key}: {sources[key]}" for key in used if key in sources)])


def _plain(scenario: Scenario) -> Iterable[tuple[str, object]]:
    for name in ("number", "title", "disruption", "mode", "minutes", "why", "hour_of_week"):
        value = getattr(scenario, name)
        if value not in ("", None):
            yield name, value


def _range(knob: Magnitude) -> str:
    return f"{knob.name} {knob.mild:g} .. {knob.usual:g} .. {knob.severe:g} {knob.unit}"


def _magnitude(each: Magnitude) -> str:
    figures = f"mild: {each.mild:g}, usual: {each.usual:g}, severe: {each.severe:g}"
    return f"{{name: {_scalar(each.name)}, unit: {_scalar(each.unit)}, {figures}{_from(each.provenance)}}}"


def _strike(strike: Strike) -> str:
    said = []
    for field in fields(Strike):
        value = getattr(strike, field.name)
        if strike.trace and field.name in ("traces", "left", "step_minutes"):
            continue
        if field.name in ("kind", "hits") or value != field.default:
            said.append(f"{field.name}: {_scalar(value)}")
    return f"{{{', '.join(said)}}}"


def _from(provenance: Provenance) -> str:
    if provenance == OWN_JUDGEMENT:
        return ""
    source, as_of = _scalar(provenance.source), json.dumps(provenance.as_of)
    return f", provenance: {{source: {source}, as_of: {as_of}, confidence: {provenance.confidence}}}"


def _used(scenario: Scenario) -> tuple[str, ...]:
    said = [each.provenance for each in scenario.magnitudes]
    said += [scenario.frequency.provenance] if scenario.frequency else []
    return tuple(dict.fromkeys(key for each in said for key in each.source.split(";")))


def _scalar(value: object) -> str:
    """A value as YAML reads it back: text that could be anything else is quoted."""
    if isinstance(value, CapacityTrace):
        told = (f"{each.name}: {_scalar(getattr(value, each.name))}" for each in fields(CapacityTrace))
        return f"{{{', '.join(told)}}}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_scalar, value))}]"
    if isinstance(value, float):
        return f"{value:g}"
    text = str(value)
    return text if isinstance(value, int) or text.replace("-", "").replace("_", "").isalpha() else json.dumps(text)
