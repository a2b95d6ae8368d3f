"""The catalogue of findings: every code an estate can be answered with, its severity and its title.

One code, one severity, one page under `docs/errors`. TP10xx reading, TP11xx shape, TP12xx names,
TP13xx values, TP14xx contradictions, TP15xx input nothing uses, TP16xx doubts about a plan,
TP17xx serving it, TP18xx scenarios it is tried against.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from tripoint.domain.errors import Finding, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingCode:
    """What a code stands for."""

    code: str
    """`TP` and four digits."""
    severity: Severity
    """How much it matters, wherever it occurs."""
    title: str
    """The mistake in a few words."""


_MANY = 12
_ABOUT_PLANS = "TP16"
STAND_IN = "(unread)"
"""Stands for a name that could not be read; no name has brackets."""
_E, _W, _N = Severity.ERROR, Severity.WARNING, Severity.NOTE

_TITLES: tuple[tuple[str, Severity, str], ...] = (
    ("TP1001", _E, "Estate cannot be read"),
    ("TP1002", _E, "File too large"),
    ("TP1003", _E, "Not UTF-8 text"),
    ("TP1004", _E, "Not well-formed YAML"),
    ("TP1005", _E, "Nested too deeply"),
    ("TP1006", _E, "Too many values"),
    ("TP1007", _E, "Aliases expand too far"),
    ("TP1008", _E, "YAML tag"),
    ("TP1009", _E, "Key declared twice"),
    ("TP1010", _E, "Not one mapping"),
    ("TP1011", _E, "Declared in two files"),
    ("TP1012", _E, "Schema version missing or unknown"),
    ("TP1013", _E, "Key is not text"),
    ("TP1014", _E, "Not a finite number"),
    ("TP1101", _E, "Unknown key"),
    ("TP1102", _E, "Key missing"),
    ("TP1103", _E, "Wrong type"),
    ("TP1104", _E, "Not an allowed value"),
    ("TP1151", _E, "Demand profile outside the estate's folder"),
    ("TP1152", _E, "Demand profile cannot be read"),
    ("TP1153", _E, "Demand profile of another schema"),
    ("TP1154", _E, "Demand profile of other work"),
    ("TP1201", _E, "Unknown site"),
    ("TP1202", _E, "Unknown model"),
    ("TP1203", _E, "Unknown dataset"),
    ("TP1204", _E, "Unknown node type"),
    ("TP1205", _E, "Unknown accelerator"),
    ("TP1206", _E, "Unknown API model"),
    ("TP1207", _E, "Unknown provider or region"),
    ("TP1208", _E, "Unknown catalogue model"),
    ("TP1209", _E, "Unknown country or country set"),
    ("TP1210", _E, "Unknown regime"),
    ("TP1211", _E, "Unknown workload"),
    ("TP1212", _E, "Unknown place"),
    ("TP1213", _E, "Unknown demand shape"),
    ("TP1214", _E, "Unknown assumption"),
    ("TP1215", _E, "Name used twice"),
    ("TP1216", _E, "Name that cannot be used"),
    ("TP1217", _E, "Unknown thing to lean on"),
    ("TP1218", _W, "Name of a site and of a group of sites"),
    ("TP1219", _E, "Unknown job"),
    ("TP1220", _E, "Misspelt label or regime of a rule"),
    ("TP1301", _E, "Share outside 0 to 1"),
    ("TP1302", _E, "Number out of range"),
    ("TP1303", _E, "Shares do not sum to 1"),
    ("TP1304", _E, "PUE below 1"),
    ("TP1305", _E, "Not a month"),
    ("TP1306", _E, "Horizon is not whole periods"),
    ("TP1307", _E, "Horizon out of range"),
    ("TP1308", _W, "Ended before the plan starts"),
    ("TP1309", _E, "More nodes than allowed"),
    ("TP1310", _N, "Node denser than a rack"),
    ("TP1311", _W, "Currency without a rate"),
    ("TP1312", _E, "Fields exclude each other"),
    ("TP1313", _W, "Field does not fit the kind"),
    ("TP1314", _E, "Demand not declared"),
    ("TP1315", _E, "Site without a power envelope"),
    ("TP1316", _E, "Hour-of-week shape incomplete"),
    ("TP1317", _E, "Model of unknown size"),
    ("TP1318", _W, "Purchase option does not fit the site"),
    ("TP1319", _E, "Workload without a model"),
    ("TP1320", _W, "Site without a country"),
    ("TP1321", _E, "Node type of another provider"),
    ("TP1322", _N, "Node needs better cooling"),
    ("TP1323", _W, "Held nodes draw more than the site has"),
    ("TP1324", _N, "Power no rack can carry"),
    ("TP1325", _E, "Address that cannot be used"),
    ("TP1326", _E, "Secret written out"),
    ("TP1327", _W, "Secret sent in the clear"),
    ("TP1328", _E, "Fallback to itself"),
    ("TP1329", _W, "One address at two sites"),
    ("TP1330", _W, "Objective that asks for nothing"),
    ("TP1331", _W, "Evidence without a date"),
    ("TP1332", _E, "Not a date"),
    ("TP1333", _E, "Hours not known"),
    ("TP1334", _W, "Figure far from all that is known"),
    ("TP1401", _E, "Residency rules contradict each other"),
    ("TP1402", _E, "Placement rules leave no site"),
    ("TP1403", _W, "Certificate no site holds"),
    ("TP1404", _W, "No site satisfies the policies"),
    ("TP1405", _W, "Runs today where policy forbids it"),
    ("TP1406", _W, "Upstream no workload may use"),
    ("TP1407", _W, "Workload without an upstream"),
    ("TP1408", _W, "Upstream the plan cannot know"),
    ("TP1409", _W, "Things that need each other in a circle"),
    ("TP1410", _W, "Recovery point of no data"),
    ("TP1411", _W, "Recovery where no site is"),
    ("TP1412", _W, "Store kept nowhere"),
    ("TP1413", _E, "Jobs that wait for each other"),
    ("TP1501", _W, "Site nobody can use"),
    ("TP1502", _W, "Model nobody runs"),
    ("TP1503", _W, "Dataset nobody reads or writes"),
    ("TP1504", _W, "Link nobody uses"),
    ("TP1505", _W, "Node type nobody offers"),
    ("TP1506", _W, "Price line that matches nothing"),
    ("TP1507", _W, "Rule that matches nothing"),
    ("TP1508", _W, "Store nobody needs"),
    ("TP1509", _W, "Share that keeps no capacity"),
    ("TP1601", _W, "Old figure that decides"),
    ("TP1602", _W, "Weak figure that decides"),
    ("TP1603", _W, "Commitment outlives the plan"),
    ("TP1604", _W, "Workload with one possible site"),
    ("TP1605", _N, "Alternative that does not exist"),
    ("TP1606", _W, "Gang whose nodes are not free at once"),
    ("TP1701", _W, "Upstream without a price"),
    ("TP1702", _W, "Planned where no upstream is"),
    ("TP1703", _W, "Plan of another estate"),
    ("TP1704", _E, "Plan that cannot be served"),
    ("TP1705", _E, "Nothing to serve"),
    ("TP1801", _E, "Unknown magnitude"),
    ("TP1802", _E, "Nothing of that sort to strike"),
    ("TP1803", _E, "Strike of another mode"),
    ("TP1804", _E, "Trace that cannot be used"),
)

FINDING_CODES: Mapping[str, FindingCode] = MappingProxyType(
    {code: FindingCode(code=code, severity=severity, title=title) for code, severity, title in _TITLES}
)
"""Every finding code, in order."""


def finding(code: str, path: str, message: str, hint: str = "") -> Finding:
    """A finding with the severity its code always has."""
    return Finding(code=code, severity=FINDING_CODES[code].severity, path=path, message=message, hint=hint)


def is_about_plan(said: Finding) -> bool:
    """True for a doubt about a plan; other findings are about what was declared."""
    return said.code.startswith(_ABOUT_PLANS)


def clip(text: str, limit: int = 60) -> str:
    """Text short enough for a message, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def quoted(names: Sequence[str]) -> str:
    """Names in backticks; the first dozen of many."""
    shown = ", ".join(f"`{name}`" for name in names[:_MANY])
    return f"{shown}, ... ({len(names)} in all)" if len(names) > _MANY else shown


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Nearest known names as a hint; empty when none is near."""
    by_folded = {each.casefold(): each for each in known}
    near = difflib.get_close_matches(name[:200].casefold(), by_folded, n=2, cutoff=0.6)
    return "did you mean " + " or ".join(f"`{by_folded[each]}`" for each in near) if near else ""
