"""Do the rules name what is there? A misspelt label or regime in a rule, or on a workload, would lift the rule.

A rule matches by exact words, so one wrong letter takes a workload from under it without a sound. Two words that are
spelt nearly alike, one of them named by no rule of a kind, are therefore refused (TP1220). A word that resembles no
other may be a rule for what is still to come, and is warned of (TP1507).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tripoint.domain.catalog import Catalog
from tripoint.domain.dataset import Dataset
from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate
from tripoint.domain.findings import clip, did_you_mean, finding
from tripoint.domain.policy import CertificationRule, ResidencyRule
from tripoint.domain.workload import Workload
from tripoint.engines.facts.places import provider_of

_UNUSED = "remove it, or correct what it should name"
_SEPARATORS = re.compile(r"[\s_.:/-]+")
_SHORTEST = 5
"""Letters of a word in which one wrong letter is a slip; of shorter ones `gold` and `cold` are two words."""
_LONG = 8
"""Letters of a word in which two wrong letters may be a slip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """Words of one sort: those rules of one kind name, and those things carry."""

    sort: str
    """`classification` or `regime`."""
    kind: str
    """`residency` or `certification`."""
    nobody: str
    """How a word that nothing carries is told."""
    named: Mapping[str, str]
    """Word -> path of the first rule of the kind that names it."""
    carried: Mapping[str, str]
    """Word -> path of the first thing that carries it."""
    declared: Collection[str] = field(default_factory=frozenset)
    """Words that are meant as they stand, wherever else they occur."""


def check_labels(estate: Estate, catalog: Catalog) -> Iterator[Finding]:
    """Classifications, regimes and providers that rules name and nothing has, or nearly has."""
    known = frozenset(row.regime.lower() for row in catalog.regimes)
    for kind, rules in (("residency", estate.policies.residency), ("certification", estate.policies.certification)):
        for words in (_classifications(kind, rules, estate), _regimes(kind, rules, estate, known)):
            yield from _in_rules(words)
            yield from _on_things(words)
    yield from _caps(estate)


def check_carried(carried: Iterable[tuple[str, str]], estate: Estate) -> Iterator[Finding]:
    """Labels of something beside the estate (path and label, e.g. of jobs) that its rules nearly name, and do not."""
    found: dict[str, str] = {}
    for path, label in carried:
        found.setdefault(label, path)
    for kind, rules in (("residency", estate.policies.residency), ("certification", estate.policies.certification)):
        words = _classifications(kind, rules, estate)
        # What the estate's own things carry is meant as it is spelt: it was looked at with the estate.
        new = {label: path for label, path in found.items() if label not in words.carried}
        yield from _near(words, new, tuple(words.named))


def _things(estate: Estate) -> Iterator[tuple[str, Workload | Dataset]]:
    """What rules are about, with its path."""
    yield from ((f"workloads[{index}]", each) for index, each in enumerate(estate.workloads))
    yield from ((f"datasets[{index}]", each) for index, each in enumerate(estate.datasets))


def _classifications(kind: str, rules: Iterable[ResidencyRule | CertificationRule], estate: Estate) -> _Words:
    carried: dict[str, str] = {}
    for path, thing in _things(estate):
        carried.setdefault(thing.classification, f"{path}.classification")
    for index, label in enumerate(estate.serving.labels):
        carried.setdefault(label, f"serving.labels[{index}]")
    named: dict[str, str] = {}
    for number, rule in enumerate(rules):
        for index, label in enumerate(rule.classifications):
            named.setdefault(label, f"policies.{kind}[{number}].classifications[{index}]")
    return _Words(
        sort="classification", kind=kind, nobody="no workload or dataset is classified",
        named=named, carried=carried, declared=frozenset(estate.serving.labels),
    )  # fmt: skip


def _regimes(
    kind: str, rules: Iterable[ResidencyRule | CertificationRule], estate: Estate, known: frozenset[str]
) -> _Words:
    carried: dict[str, str] = {}
    for path, thing in _things(estate):
        for number, name in enumerate(thing.regimes):
            carried.setdefault(name.lower(), f"{path}.regimes[{number}]")
    named: dict[str, str] = {}
    for at, rule in enumerate(rules):
        for number, name in enumerate(rule.regimes):
            named.setdefault(name.lower(), f"policies.{kind}[{at}].regimes[{number}]")
    return _Words(
        sort="regime", kind=kind, nobody="no workload or dataset is under the regime",
        named=named, carried=carried, declared=known,
    )  # fmt: skip


def _in_rules(words: _Words) -> Iterator[Finding]:
    """Words of rules that nothing carries: refused where a word that no such rule names is nearly the same."""
    unruled = [word for word in words.carried if word and word not in words.named]
    for word, path in words.named.items():
        if word in words.carried:
            continue
        near = next((each for each in unruled if is_slip(word, each, letters=2)), "")
        message = f"{words.nobody} `{clip(word)}`"
        if near and word not in words.declared:
            more = f"; `{clip(near)}` ({words.carried[near]}) is named by no {words.kind} rule"
            yield finding("TP1220", path, message + more, _either(near, near, words))
        else:
            yield finding("TP1507", path, message, did_you_mean(word, filter(None, words.carried)) or _UNUSED)


def _on_things(words: _Words) -> Iterator[Finding]:
    """Words of things that no rule of the kind names, spelt nearly like one that such a rule names for others."""
    yield from _near(words, words.carried, [word for word in words.named if word in words.carried])


def _near(words: _Words, carried: Mapping[str, str], ruled: Iterable[str]) -> Iterator[Finding]:
    for word, path in carried.items():
        if not word or word in words.named or word in words.declared:
            continue
        near = next((each for each in ruled if is_slip(word, each, letters=1)), "")
        if near:
            message = f"no {words.kind} rule names `{clip(word)}`; `{clip(near)}` is named ({words.named[near]})"
            yield finding("TP1220", path, message, _either(near, word, words))


def _either(near: str, unruled: str, words: _Words) -> str:
    """What to do: correct one of the two, or say that both are meant."""
    if words.sort == "classification":
        return f"did you mean `{clip(near)}`; if both are meant, list both under `serving.labels`"
    return f"did you mean `{clip(near)}`; if both are meant, name `{clip(unruled)}` in a {words.kind} rule too"


def _caps(estate: Estate) -> Iterator[Finding]:
    providers = {provider_of(site) for site in estate.sites}
    for index, cap in enumerate(estate.policies.concentration):
        if cap.provider is not None and cap.provider.lower() not in providers:
            message = f"no site is run by `{cap.provider}`"
            path = f"policies.concentration[{index}].provider"
            yield finding("TP1507", path, message, did_you_mean(cap.provider, providers) or _UNUSED)


def is_slip(word: str, other: str, *, letters: int) -> bool:
    """True where one of two different words is probably the other, mistyped in up to so many `letters` (1 or 2).

    Case and separators are no difference. Otherwise one part between separators differs, by letters only: `tier-1` and
    `tier-2`, `zone-a` and `zone-b` or `customer-eu` and `customer-us` are two names. Two letters count in long words
    that begin alike, so that `internal` and `external` remain two words.
    """
    if word == other:
        return False
    mine, theirs = (_SEPARATORS.split(each.strip().casefold()) for each in (word, other))
    if "".join(mine) == "".join(theirs):
        return True
    differing = [pair for pair in zip(mine, theirs, strict=False) if pair[0] != pair[1]]
    if len(mine) != len(theirs) or len(differing) != 1:
        return False
    one, two = differing[0]
    if not (one.isalpha() and two.isalpha()):
        return False
    steps, shortest = _steps(one, two), min(len(one), len(two))
    if steps == 1:
        return shortest >= _SHORTEST or (sorted(one) == sorted(two) and shortest > 2)
    return steps <= letters and shortest >= _LONG and one[0] == two[0]


def _steps(one: str, two: str) -> int:
    """Letters added, dropped, changed or swapped with their neighbour between two words.

    The optimal string alignment distance (F. J. Damerau, 1964), by dynamic programming.
    """
    one, two = one[:64], two[:64]
    before: list[int] = []
    row = list(range(len(two) + 1))
    for i, letter in enumerate(one, start=1):
        earlier, before, row = before, row, [i]
        for j, its in enumerate(two, start=1):
            least = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != its))
            if i > 1 and j > 1 and letter == two[j - 2] and one[i - 2] == its:
                least = min(least, earlier[j - 2] + 1)
            row.append(least)
    return row[-1]
