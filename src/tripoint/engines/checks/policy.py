"""Do the estate's rules contradict each other, or leave a workload or a site with nothing?

Asks the same filter the planner uses (`policy.judge`), so what is told here is what a plan would refuse. Sites that
differ in nothing a rule looks at are judged once: an estate may have thousands of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate
from tripoint.domain.findings import did_you_mean, finding, quoted
from tripoint.domain.fit import RefusalReason
from tripoint.engines.sizing.policy import (
    Place,
    Rule,
    Rulebook,
    Subject,
    judge,
    place_of,
    rulebook,
    subject_of,
)


def check_policies(estate: Estate, catalog: Catalog) -> tuple[Finding, ...]:
    """Contradictions among rules, and what the rules leave without a place; the estate's names are known."""
    book = rulebook(estate, catalog)
    places = [place_of(site, catalog) for site in estate.sites]
    subjects = [subject_of(workload, estate, catalog) for workload in estate.workloads]
    return (
        *_certificates(estate),
        *_homeless(subjects, places, book),
        *_today(estate, subjects, places, book),
        *_idle_sites(estate, subjects, places, book),
    )


def _alike(places: Sequence[Place], subjects: Sequence[Subject]) -> list[Place]:
    """The places without their ids, unless a workload names the site: equal ones are judged alike."""
    named = frozenset().union(*(each.only_at | each.not_at for each in subjects))
    return [place if place.id in named else replace(place, id="") for place in places]


def _placeable(subjects: Sequence[Subject], places: Sequence[Place], book: Rulebook) -> list[bool]:
    """Per workload: whether any site may run it."""
    distinct = tuple(dict.fromkeys(_alike(places, subjects)))
    return [any(judge(place, each, book) is None for place in distinct) for each in subjects]


def _homeless(subjects: Sequence[Subject], places: Sequence[Place], book: Rulebook) -> Iterator[Finding]:
    if places:
        for index, has_place in enumerate(_placeable(subjects, places, book)):
            if not has_place:
                yield from _subject(index, subjects[index], places, book)


def _subject(index: int, subject: Subject, places: Sequence[Place], book: Rulebook) -> Iterator[Finding]:
    """At most one finding per workload: the plainest reason why it has nowhere to go."""
    path = f"workloads[{index}]"
    refusals = [verdict for place in places if (verdict := judge(place, subject, book)) is not None]
    pair = _contradiction(subject, book)
    if all(verdict.reason is RefusalReason.CONFINED for verdict in refusals):
        where = f"{path}.only_at" if subject.only_at else f"{path}.not_at"
        message = f"`only_at` and `not_at` leave {_none_of(places)} to `{subject.workload}`"
        yield finding("TP1402", where, message, "allow at least one")
    elif pair is not None:
        first, second = pair
        message = (
            f"two rules apply to `{subject.workload}` and no country satisfies both:"
            f" {first.name} allows {first.allow_text}, {second.name} allows {second.allow_text}"
        )
        yield finding("TP1401", path, message, "narrow what one of the rules matches, or widen what it allows")
    else:
        message = f"{_none_of(places)} may run `{subject.workload}`: {refusals[0].text}"
        yield finding("TP1404", path, message, "no plan is possible until a site is added or a rule changed")


def _none_of(places: Sequence[Place]) -> str:
    return "no site" if len(places) == 1 else f"none of the {len(places)} sites"


def _contradiction(subject: Subject, book: Rulebook) -> tuple[Rule, Rule] | None:
    matching = [rule for rule in book.rules if rule.allow is not None and rule.matches(subject)]
    pairs = ((a, b) for a, b in combinations(matching, 2) if not (a.allow or frozenset()) & (b.allow or frozenset()))
    return next(pairs, None)


def _certificates(estate: Estate) -> Iterator[Finding]:
    held = {name.lower() for site in estate.sites for name in site.certifications}
    for index, rule in enumerate(estate.policies.certification):
        for place, name in enumerate(rule.requires):
            if name.lower() not in held:
                hint = did_you_mean(name, held) or (
                    f"held: {quoted(sorted(held))}" if held else "declare it at the sites"
                )
                path = f"policies.certification[{index}].requires[{place}]"
                yield finding("TP1403", path, f"no site holds the certificate `{name}`", hint)


def _today(estate: Estate, subjects: Sequence[Subject], places: Sequence[Place], book: Rulebook) -> Iterator[Finding]:
    by_id = {place.id: place for place in places}
    for index, (workload, subject) in enumerate(zip(estate.workloads, subjects, strict=True)):
        for number, share in enumerate(workload.today):
            place = by_id.get(share.site)
            verdict = judge(place, subject, book) if place else None
            if verdict is not None:
                message = f"`{workload.id}` runs at `{share.site}` today, where it may not: {verdict.text}"
                path = f"workloads[{index}].today[{number}].site"
                yield finding("TP1405", path, message, "the plan moves it; today's baseline still counts it there")


def _idle_sites(
    estate: Estate, subjects: Sequence[Subject], places: Sequence[Place], book: Rulebook
) -> Iterator[Finding]:
    """Sites that could run things but may run nothing; workloads that may run nowhere are told by themselves."""
    may_run = _placeable(subjects, places, book)
    placeable = [each for each, has_place in zip(subjects, may_run, strict=True) if has_place]
    alike = _alike(places, subjects)
    idle = {place for place in dict.fromkeys(alike) if all(judge(place, each, book) for each in placeable)}
    if not placeable:
        return
    for index, (site, kind_of_place) in enumerate(zip(estate.sites, alike, strict=True)):
        offers = bool(site.pools) or bool(site.apis) or (site.pools is None and site.kind.is_rented)
        verdict = judge(places[index], placeable[0], book) if offers and kind_of_place in idle else None
        if verdict is not None:
            message = f"no workload may run at `{site.id}`; `{placeable[0].workload}` for one: {verdict.text}"
            yield finding("TP1501", f"sites[{index}]", message, "remove the site, or change the rules")
