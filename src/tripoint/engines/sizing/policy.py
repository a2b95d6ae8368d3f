"""Who may be where: residency, certification and licence as a filter, before any cost or health is looked at.

Pure functions over three small values: the place, the subject (a workload with the data it touches) and the
rulebook (the estate's rules and the catalogue's rules of each regime, country sets already expanded). The
planner and the request router ask the same question. The filter fails closed: an unknown country, an
undeclared classification or a regime no rule is known for refuses. Rules only ever take places away, so their
order cannot matter to the outcome; order decides which reason is told first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tripoint.domain.catalog import Catalog
from tripoint.domain.estate import Estate
from tripoint.domain.fit import RefusalReason
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.policy import CertificationRule, ResidencyRule
from tripoint.domain.site import Site
from tripoint.domain.workload import Workload
from tripoint.engines.facts.places import country_of, expand_countries, jurisdiction_of
from tripoint.engines.sizing.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What rules look at in a site."""

    id: str
    """Site id."""
    kind: str
    """Site kind."""
    layer: str
    """Layer of the kind."""
    country: str | None
    """Country of the building; `None` when unknown."""
    jurisdiction: str | None
    """Country whose law reaches the operator; `None` when unknown."""
    certifications: frozenset[str]
    """Certificates held, lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What rules look at in a workload: itself, its data, its model's licence and where its author confined it."""

    workload: str
    """Workload id."""
    classifications: frozenset[str]
    """Labels of the workload and of every dataset it reads or writes; an empty label matches every rule."""
    regimes: frozenset[str]
    """Regimes of the workload and of those datasets, lower case."""
    only_at: frozenset[str] = frozenset()
    """Sites, layers or kinds; anywhere when empty."""
    not_at: frozenset[str] = frozenset()
    """Sites, layers or kinds."""
    licence_countries: frozenset[str] | None = None
    """Countries the model's licence allows; anywhere when `None`."""
    licence_kinds: frozenset[str] | None = None
    """Site kinds the model's licence allows; any when `None`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One residency or certification rule with its country sets expanded."""

    name: str
    """How messages call it, e.g. `residency[0]` or `regime gdpr (Art. 44)`."""
    allow: frozenset[str] | None = None
    """Countries allowed; any when `None`."""
    allow_text: str = ""
    """`allow` as its author wrote it."""
    requires: frozenset[str] = frozenset()
    """Certificates required, lower case."""
    classifications: frozenset[str] = frozenset()
    """Matches these labels."""
    regimes: frozenset[str] = frozenset()
    """Matches these regimes, lower case."""
    workloads: frozenset[str] = frozenset()
    """Matches these workloads."""
    by_jurisdiction: bool = False
    """True to test the operator's jurisdiction as well."""
    is_own: bool = False
    """True for the estate's own rules, which its author may relax; a regime's are law."""

    def matches(self, subject: Subject) -> bool:
        """True when any of its lists names the subject, or when it has no lists at all."""
        if not (self.classifications or self.regimes or self.workloads):
            return True
        is_labelled = bool(self.classifications & subject.classifications)
        is_unlabelled = bool(self.classifications) and "" in subject.classifications
        is_regulated = bool(self.regimes & subject.regimes)
        return is_labelled or is_unlabelled or is_regulated or subject.workload in self.workloads


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """All rules of an estate."""

    rules: tuple[Rule, ...] = ()
    """Estate rules first, then the catalogue's."""
    known_regimes: frozenset[str] | None = None
    """Regimes some rule speaks about; not checked when `None` (the author switched the catalogue's rules off)."""
    waived: frozenset[tuple[str, str]] = frozenset()
    """(workload, country) for which the estate's own residency rules are not looked at, to see what they cost."""


def place_of(site: Site, catalog: Catalog) -> Place:
    """The rule's view of a site."""
    return Place(
        id=site.id,
        kind=site.kind.value,
        layer=site.kind.layer.value,
        country=country_of(site, catalog),
        jurisdiction=jurisdiction_of(site, catalog),
        certifications=_lower(site.certifications),
    )


def subject_of(workload: Workload, estate: Estate, catalog: Catalog) -> Subject:
    """The rule's view of a workload, with the data it reads and writes."""
    touched = {use.dataset for use in (*workload.reads, *workload.writes)}
    datasets = [dataset for dataset in estate.datasets if dataset.id in touched]
    model = next((spec for spec in estate.models if spec.id == workload.model), None)
    return Subject(
        workload=workload.id,
        classifications=frozenset({workload.classification, *(dataset.classification for dataset in datasets)}),
        regimes=_lower([*workload.regimes, *(name for dataset in datasets for name in dataset.regimes)]),
        only_at=frozenset(workload.only_at),
        not_at=frozenset(workload.not_at),
        licence_countries=_licence_countries(model, catalog),
        licence_kinds=None if model is None or model.licence_kinds is None else frozenset(model.licence_kinds),
    )


def rulebook(estate: Estate, catalog: Catalog, waived: frozenset[tuple[str, str]] = frozenset()) -> Rulebook:
    """The estate's rules, and those of every regime in the catalogue unless the estate declines them.

    `waived` is only for asking what would be if; nothing is planned or served by it.
    """
    policies = estate.policies
    rules = [_residency(rule, index, catalog) for index, rule in enumerate(policies.residency)]
    rules += [_certification(rule, index) for index, rule in enumerate(policies.certification)]
    if not policies.regimes_from_catalogue:
        return Rulebook(rules=tuple(rules), waived=waived)
    rules += _regimes(catalog)
    known = frozenset(name for rule in rules for name in rule.regimes)
    return Rulebook(rules=tuple(rules), known_regimes=known, waived=waived)


def judge(place: Place, subject: Subject, book: Rulebook) -> Verdict | None:
    """The first reason that removes the place, in the order confined, residency, certification, licence."""
    matching = [rule for rule in book.rules if rule.matches(subject)]
    is_waived = (subject.workload, (place.country or "").upper()) in book.waived
    return (
        _confined(place, subject)
        or _unknown_regime(subject, book)
        or next(filter(None, (_resident(place, rule, is_waived and rule.is_own) for rule in matching)), None)
        or next(filter(None, (_certified(place, rule) for rule in matching)), None)
        or _licensed(place, subject)
    )


def is_allowed(place: Place, subject: Subject, book: Rulebook) -> bool:
    """True when no rule removes the place."""
    return judge(place, subject, book) is None


def allows_spot(workload: Workload) -> bool:
    """Declared, else: interruptible kinds may, interactive ones may not."""
    if workload.allows_spot is not None:
        return workload.allows_spot
    return not workload.kind.is_interactive


def _confined(place: Place, subject: Subject) -> Verdict | None:
    names = {place.id, place.kind, place.layer}
    if subject.only_at and not names & subject.only_at:
        found = f"this is `{place.id}` ({place.kind}, {place.layer})"
        text = f"`only_at` confines it to {_listed(subject.only_at)}; {found}"
        return Verdict(reason=RefusalReason.CONFINED, text=text)
    if names & subject.not_at:
        text = f"`not_at` excludes {_listed(names & subject.not_at)}"
        return Verdict(reason=RefusalReason.CONFINED, text=text)
    return None


def _unknown_regime(subject: Subject, book: Rulebook) -> Verdict | None:
    if book.known_regimes is None or subject.regimes <= book.known_regimes:
        return None
    unknown = _listed(subject.regimes - book.known_regimes)
    text = f"no rule is known for {unknown}, so no place is known to satisfy it; declare a residency rule naming it"
    return Verdict(reason=RefusalReason.RESIDENCY, text=text)


def _resident(place: Place, rule: Rule, is_waived: bool) -> Verdict | None:
    if rule.allow is None:
        return None
    tested = [] if is_waived else [("country", place.country)]
    if rule.by_jurisdiction:
        tested.append(("jurisdiction of the operator", place.jurisdiction))
    for what, country in tested:
        if country is None:
            text = f"{rule.name} allows {rule.allow_text}; the {what} of `{place.id}` is not known, declare it"
            return Verdict(reason=RefusalReason.RESIDENCY, text=text)
        if country.upper() not in rule.allow:
            text = f"{rule.name} allows {rule.allow_text}; the {what} of `{place.id}` is {country.upper()}"
            return Verdict(reason=RefusalReason.RESIDENCY, text=text)
    return None


def _certified(place: Place, rule: Rule) -> Verdict | None:
    missing = rule.requires - place.certifications
    if not missing:
        return None
    text = f"{rule.name} requires {_listed(rule.requires)}; `{place.id}` lacks {_listed(missing)}"
    return Verdict(reason=RefusalReason.CERTIFICATION, text=text)


def _licensed(place: Place, subject: Subject) -> Verdict | None:
    kinds, countries = subject.licence_kinds, subject.licence_countries
    if kinds is not None and place.kind not in kinds:
        text = f"the model's licence allows {_listed(kinds) or 'no'} sites; `{place.id}` is {place.kind}"
        return Verdict(reason=RefusalReason.LICENCE, text=text)
    if countries is not None and (place.country or "").upper() not in countries:
        found = place.country or "not known"
        text = f"the model's licence allows {_listed(countries)}; the country of `{place.id}` is {found}"
        return Verdict(reason=RefusalReason.LICENCE, text=text)
    return None


def _residency(rule: ResidencyRule, index: int, catalog: Catalog) -> Rule:
    return Rule(
        name=f"rule `policies.residency[{index}]`",
        is_own=True,
        allow=expand_countries(rule.allow, catalog),
        allow_text=", ".join(rule.allow) or "nowhere",
        classifications=frozenset(rule.classifications),
        regimes=_lower(rule.regimes),
        workloads=frozenset(rule.workloads),
        by_jurisdiction=rule.by_jurisdiction,
    )


def _certification(rule: CertificationRule, index: int) -> Rule:
    return Rule(
        name=f"rule `policies.certification[{index}]`",
        requires=_lower(rule.requires),
        classifications=frozenset(rule.classifications),
        regimes=_lower(rule.regimes),
        workloads=frozenset(rule.workloads),
    )


def _regimes(catalog: Catalog) -> list[Rule]:
    return [
        Rule(
            name=f"regime `{row.regime}` ({row.legal_ref})",
            allow=expand_countries(row.allow, catalog) if row.allow else None,
            allow_text=", ".join(row.allow),
            requires=_lower(row.requires),
            regimes=_lower([row.regime]),
        )
        for row in catalog.regimes
    ]


def _licence_countries(model: ModelSpec | None, catalog: Catalog) -> frozenset[str] | None:
    if model is None or model.licence_countries is None:
        return None
    return expand_countries(model.licence_countries, catalog)


def _lower(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
