"""Does a file of scenarios make sense? What it means in an estate is told when it is tried."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType

from tripoint.domain.errors import Finding
from tripoint.domain.fault import FaultKind
from tripoint.domain.findings import did_you_mean, finding, quoted
from tripoint.domain.scenario import Magnitude, Scenario, Strike, TrialMode
from tripoint.engines.stress.scenarios.candidates import is_known, sorts
from tripoint.engines.stress.scenarios.knobs import MINUTES, named_by, traces_of

_PLANNED = (FaultKind.DEMAND, FaultKind.PRICE, FaultKind.ORDER_DELAY, FaultKind.BUDGET, FaultKind.LEAVE)
_ONLY_PLANNED = (FaultKind.ORDER_DELAY, FaultKind.BUDGET, FaultKind.LEAVE)
_ONLY_HOURS = (FaultKind.DATA_LOST, FaultKind.APPROVAL, FaultKind.SERVICE_DOWN, FaultKind.PRICE)
_ONLY_REQUESTS = (FaultKind.RETRIES,)
_FITTING: Mapping[TrialMode, tuple[FaultKind, ...]] = MappingProxyType(
    {
        TrialMode.REQUESTS: tuple(kind for kind in FaultKind if kind not in (*_ONLY_PLANNED, *_ONLY_HOURS)),
        TrialMode.HOURS: tuple(kind for kind in FaultKind if kind not in (*_ONLY_PLANNED, *_ONLY_REQUESTS)),
        TrialMode.PLAN: _PLANNED,
    }
)
"""Kinds of fault each mode knows what to do with."""
_SHARES = (
    FaultKind.ERRORS, FaultKind.WRONG, FaultKind.LIMIT, FaultKind.CAPACITY, FaultKind.LINK_LOSS,
    FaultKind.LINK_RATE, FaultKind.BUDGET,
)  # fmt: skip
_SITES = ("site", "provider", "region", "domain", "labelled", "dependants")
_PLACES = (*_SITES, "pool")
_LINKS = ("link", "conduit")
_HITS: Mapping[FaultKind, tuple[str, ...]] = MappingProxyType(
    {
        FaultKind.DOWN: (*_PLACES, "node", "accelerator", "workload"),
        FaultKind.HANG: _PLACES,
        FaultKind.SLOW: _PLACES,
        FaultKind.ERRORS: _PLACES,
        FaultKind.WRONG: _PLACES,
        FaultKind.LIMIT: _PLACES,
        FaultKind.CAPACITY: _PLACES,
        FaultKind.LINK_DOWN: _LINKS,
        FaultKind.LINK_LOSS: _LINKS,
        FaultKind.LINK_DELAY: _LINKS,
        FaultKind.LINK_RATE: _LINKS,
        FaultKind.DEMAND: ("workload", "labelled"),
        FaultKind.RETRIES: ("workload",),
        FaultKind.PRICE: ("price",),
        FaultKind.ORDER_DELAY: _PLACES,
        FaultKind.BUDGET: ("people",),
        FaultKind.SERVICE_DOWN: ("service",),
        FaultKind.DATA_LOST: ("dataset",),
        FaultKind.LEAVE: _PLACES,
        FaultKind.APPROVAL: ("people",),
    }
)
"""Sorts of things each kind of fault does something to; anything else it would pass over without a word."""
_NOTHING: Mapping[FaultKind, float] = MappingProxyType(
    {
        **dict.fromkeys((FaultKind.ERRORS, FaultKind.WRONG, FaultKind.LINK_LOSS, FaultKind.LINK_DELAY), 0.0),
        **dict.fromkeys((FaultKind.RETRIES, FaultKind.ORDER_DELAY, FaultKind.APPROVAL), 0.0),
        **dict.fromkeys((FaultKind.SLOW, FaultKind.LIMIT, FaultKind.CAPACITY, FaultKind.LINK_RATE), 1.0),
        **dict.fromkeys((FaultKind.DEMAND, FaultKind.PRICE, FaultKind.BUDGET), 1.0),
    }
)
"""Sizes with which a kind of fault changes nothing."""
_LONGEST_MINUTES = 60 * 24 * 365 * 10.0
_TIMES = ("at", "lasts", "delay", "ramp")
_NODES = ("node", "accelerator")
_FIGURES: Mapping[str, str] = MappingProxyType(
    {
        "at": "minutes from the start of the trial",
        "lasts": "minutes; leave it out for a strike that goes on to the end",
        "delay": "minutes in which the strike is not felt",
        "ramp": "minutes until the strike is in full force",
        "size": "as its kind says; of `node` and `accelerator` how many fail at once",
        "mtbf_hours": "hours between failures; leave it out for a strike that comes once",
    }
)
"""Figures of a strike, and what each is."""


def fits(kind: FaultKind, mode: TrialMode) -> bool:
    """Whether trials of a mode know what to do with a kind of fault."""
    return kind in _FITTING[mode]


def check_scenarios(scenarios: Sequence[Scenario], taken: Collection[str] = ()) -> tuple[Finding, ...]:
    """Every mistake in scenarios; `taken` are ids they may not have because the catalogue has them."""
    found: list[Finding] = []
    seen: set[str] = set(taken)
    for index, scenario in enumerate(scenarios):
        path = f"scenarios[{index}]"
        if scenario.id in seen:
            message = f"`{scenario.id}` is the id of another scenario"
            found.append(finding("TP1215", f"{path}.id", message, "give it a name of its own"))
        seen.add(scenario.id)
        found += _scenario(scenario, path)
    return tuple(found)


def _scenario(scenario: Scenario, path: str) -> Iterator[Finding]:
    if not 0.0 < scenario.minutes <= _LONGEST_MINUTES:
        message = f"expects minutes above 0 and at most ten years, found {scenario.minutes:g}"
        yield finding("TP1302", f"{path}.minutes", message, "a week is 10080 minutes")
    if not scenario.strikes:
        yield finding("TP1302", f"{path}.strikes", "expects at least one strike, found none", "say what fails")
    hour = scenario.hour_of_week
    if hour is not None and not 0 <= hour < 168:
        message = f"expects an hour from 0 to 167, found {hour}"
        yield finding("TP1302", f"{path}.hour_of_week", message, "0 is Monday, 00:00 UTC")
    names: list[str] = []
    for number, magnitude in enumerate(scenario.magnitudes):
        yield from _magnitude(magnitude, f"{path}.magnitudes[{number}]", names)
        names.append(magnitude.name)
    for number, strike in enumerate(scenario.strikes):
        yield from _strike(scenario, strike, f"{path}.strikes[{number}]")
    yield from _frequency(scenario, path)


def _magnitude(magnitude: Magnitude, path: str, names: Sequence[str]) -> Iterator[Finding]:
    if magnitude.name in names:
        message = f"`{magnitude.name}` is the name of another magnitude of this scenario"
        yield finding("TP1215", f"{path}.name", message, "give it a name of its own")
    low, high = magnitude.ends
    if not low <= magnitude.usual <= high:
        message = f"expects a value from {low:g} to {high:g} {magnitude.unit}, found {magnitude.usual:g}"
        yield finding("TP1302", f"{path}.usual", message, "`usual` lies between `mild` and `severe`")
    if low < 0.0:
        end = "mild" if magnitude.mild == low else "severe"
        yield finding("TP1302", f"{path}.{end}", f"expects 0 or more, found {low:g}", "check the sign")


def _strike(scenario: Scenario, strike: Strike, path: str) -> Iterator[Finding]:
    units = {each.name: each.unit for each in scenario.magnitudes}
    ranges = {each.name: each.ends for each in scenario.magnitudes}
    for field, name in named_by(strike):
        if name not in units:
            message = f"`{scenario.id}` has no magnitude `{name}`"
            known = f"its magnitudes: {quoted(tuple(units))}" if units else "declare it under `magnitudes`"
            yield finding("TP1801", f"{path}.{field}", message, did_you_mean(name, units) or known)
        elif field in _TIMES and units[name] not in MINUTES:
            message = f"`{name}` is in `{units[name]}`, a time is in {quoted(tuple(MINUTES))}"
            yield finding("TP1302", f"{path}.{field}", message, "name a magnitude in such a unit")
    if ":" in strike.hits and not is_known(strike.hits):
        alike = [each for each in sorts() if each.startswith(strike.hits.partition(":")[0])]
        hint = did_you_mean(strike.hits, sorts()) or f"one of {quoted(alike or sorts())}"
        message = f"`{strike.hits}` names no sort of thing"
        yield finding("TP1802", f"{path}.hits", message, hint)
    yield from _traces(strike, path)
    if strike.step_minutes <= 0.0:
        message = f"expects minutes above 0, found {strike.step_minutes:g}"
        yield finding("TP1302", f"{path}.step_minutes", message, "leave it out for the usual step")
    if not fits(strike.kind, scenario.mode):
        message = f"`{strike.kind}` means nothing in the mode `{scenario.mode}`"
        yield finding(
            "TP1803", f"{path}.kind", message, f"that mode knows {quoted([str(k) for k in _FITTING[scenario.mode]])}"
        )
    yield from _unread(scenario, strike, path)
    yield from _idle(scenario, strike, path)
    yield from _amounts(scenario, strike, path)
    if strike.kind in _SHARES and strike.hits.partition(":")[0] not in _NODES and not traces_of(strike):
        low, high = ranges.get(strike.size, (0.0, 0.0)) if isinstance(strike.size, str) else (strike.size, strike.size)
        if low < 0.0 or high > 1.0:
            message = f"`{strike.kind}` is a share from 0 to 1, found {high if high > 1.0 else low:g}"
            yield finding("TP1301", f"{path}.size", message, "write a fraction: 0.3 is 30 %")


def _traces(strike: Strike, path: str) -> Iterator[Finding]:
    """What is left over time is shares of a capacity, each for a while."""
    traces = traces_of(strike)
    shares = [left for each in traces for left in each.left]
    if traces and (
        strike.kind is not FaultKind.CAPACITY or min(shares, default=0.0) < 0.0 or max(shares, default=0.0) > 1.0
    ):
        message = f"traces are shares from 0 to 1 of a `capacity`, found {strike.kind} of {max(shares, default=0.0):g}"
        field = "left" if strike.left else "traces"
        yield finding("TP1301", f"{path}.{field}", message, "strike with `kind: capacity`, in fractions of 1")
    for number, each in enumerate(strike.traces):
        if not each.seconds or len(each.seconds) != len(each.left) or min(each.seconds) <= 0.0:
            message = f"expects as many `seconds` above 0 as `left`, found {len(each.seconds)} and {len(each.left)}"
            yield finding("TP1302", f"{path}.traces[{number}]", message, "give each share its seconds")


def _unread(scenario: Scenario, strike: Strike, path: str) -> Iterator[Finding]:
    """What is said and would be passed over: things the kind does nothing to, figures nobody reads here."""
    sort = strike.hits.partition(":")[0]
    if is_known(strike.hits) and sort not in (*_HITS[strike.kind], "id"):
        message = f"`{strike.kind}` does nothing to `{strike.hits}`"
        yield finding("TP1802", f"{path}.hits", message, f"it strikes {quoted(_HITS[strike.kind])}")
    if strike.mtbf_hours is not None and sort not in _NODES:
        message = f"`mtbf_hours` is of {quoted(_NODES)}, found `{strike.hits}`"
        yield finding("TP1802", f"{path}.mtbf_hours", message, "leave it out, or strike single nodes")
    if traces_of(strike) and sort in _NODES:
        message = f"a trace is of a capacity, found single things: `{strike.hits}`"
        yield finding("TP1802", f"{path}.hits", message, "strike a pool, such as `pool:spot`")
    if scenario.mode is TrialMode.PLAN:
        for field in _TIMES:
            if getattr(strike, field) not in (None, 0.0):
                message = f"`{field}` means nothing in the mode `plan`: what is planned again lasts from the beginning"
                yield finding("TP1803", f"{path}.{field}", message, "leave it out")


def _idle(scenario: Scenario, strike: Strike, path: str) -> Iterator[Finding]:
    """A size that changes nothing in a plain run, so that the scenario would count as borne."""
    nothing = _NOTHING.get(strike.kind)
    if nothing is None or strike.hits.partition(":")[0] in _NODES:
        return
    if traces_of(strike):
        nothing = 0.0
    knob = next((each for each in scenario.magnitudes if each.name == strike.size), None)
    size = knob.usual if knob is not None else strike.size
    if not isinstance(size, str) and size == nothing:
        named = f" in `{strike.size}`" if knob is not None else ""
        message = f"expects a size that changes something, found {size:g}{named}: `{strike.kind}` of it does nothing"
        yield finding("TP1302", f"{path}.size", message, "give a `size`, or the name of a magnitude")


def _amounts(scenario: Scenario, strike: Strike, path: str) -> Iterator[Finding]:
    """Times and sizes with which nothing would be struck, though the scenario would count as borne.

    Of magnitudes the range is judged; that none is below 0 is told where they are declared.
    """
    knobs = {each.name: each for each in scenario.magnitudes}
    for field in _FIGURES:
        said: float | str | None = getattr(strike, field)
        is_share = field == "size" and strike.kind in _SHARES
        if isinstance(said, (int, float)) and said < 0.0 and not is_share:
            yield finding("TP1302", f"{path}.{field}", f"expects 0 or more, found {said:g}", _FIGURES[field])
    latest = _latest(knobs, strike.at)
    if latest is not None and latest >= scenario.minutes > 0.0:
        message = f"expects a begin before the trial ends at {scenario.minutes:g} minutes, found {latest:g} minutes"
        yield finding("TP1302", f"{path}.at", message, "begin earlier, or give the scenario more `minutes`")
    for field in ("lasts", "mtbf_hours", "size"):
        if field == "size" and strike.hits.partition(":")[0] not in _NODES:
            continue
        said = getattr(strike, field)
        knob = knobs.get(said) if isinstance(said, str) else None
        # No time at all between failures has no end; of the others the plain run is to strike, milder ones need not.
        least = said if knob is None else knob.ends[0] if field == "mtbf_hours" else knob.usual
        if least == 0.0:
            named = f" in `{said}`" if knob is not None else ""
            yield finding("TP1302", f"{path}.{field}", f"expects more than 0, found 0{named}", _FIGURES[field])


def _latest(knobs: Mapping[str, Magnitude], said: float | str) -> float | None:
    """The latest a strike may begin, minutes; `None` where its magnitude is no time."""
    if not isinstance(said, str):
        return said
    return knobs[said].ends[1] * MINUTES[knobs[said].unit] if said in knobs and knobs[said].unit in MINUTES else None


def _frequency(scenario: Scenario, path: str) -> Iterator[Finding]:
    said = scenario.frequency
    if said is not None and not 0.0 <= said.low <= said.per_year <= said.high:
        message = f"expects 0 <= low <= per_year <= high, found {said.low:g}, {said.per_year:g}, {said.high:g}"
        yield finding("TP1302", f"{path}.frequency", message, "`per_year` lies between `low` and `high`")
