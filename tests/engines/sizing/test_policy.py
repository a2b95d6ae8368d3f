"""The filter: hand-made cases, and no mix of rules that lets a workload out of its allow set."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.sizing import estate, sizing_catalog, workload
from tests.factories.tiny_catalog import cloud, colo

from tripoint.domain.dataset import Dataset
from tripoint.domain.fit import RefusalReason
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.policy import CertificationRule, Policies, ResidencyRule
from tripoint.domain.site import Site
from tripoint.domain.units import DatasetId, ModelId
from tripoint.domain.workload import DatasetUse, Workload
from tripoint.engines.sizing.policy import Place, Rule, Rulebook, Subject, judge, place_of, rulebook, subject_of
from tripoint.engines.sizing.verdict import Verdict

COUNTRIES = ["DE", "NL", "US", "IN", None]
LABELS = ["public", "restricted", ""]
REGIMES = ["gdpr", "hipaa", "nis2"]
CERTIFICATES = ["iso27001", "soc2", "hipaa_baa"]


def verdict_on(site: Site, asked: Workload, **fields: object) -> Verdict | None:
    """What the filter says of one workload at one site of an estate."""
    catalog = sizing_catalog()
    whole = estate(site, workloads=(asked,), **fields)
    return judge(place_of(site, catalog), subject_of(asked, whole, catalog), rulebook(whole, catalog))


def test_nothing_declared_allows_everywhere() -> None:
    """No rule, no refusal."""
    assert verdict_on(cloud(), workload()) is None


@pytest.mark.parametrize("name", ["cloud", "public"])
def test_confinement_names_sites_kinds_or_layers(name: str) -> None:
    """`cloud` is this site's id and kind, `public` its layer."""
    assert verdict_on(cloud(), workload(only_at=(name,))) is None
    excluded = verdict_on(cloud(), workload(not_at=(name,)))
    assert excluded is not None
    assert excluded.reason is RefusalReason.CONFINED
    assert verdict_on(colo(), workload(only_at=(name,))).reason is RefusalReason.CONFINED  # type: ignore[union-attr]  # refused here


def test_a_regime_of_the_catalogue_keeps_data_in_its_countries() -> None:
    """GDPR as in the tiny catalogue: the EEA."""
    found = verdict_on(cloud(), workload(regimes=("GDPR",)))
    assert found is not None
    assert found.reason is RefusalReason.RESIDENCY
    assert "EEA" in found.text
    assert "US" in found.text
    assert verdict_on(colo("NL"), workload(regimes=("gdpr",))) is None


def test_the_estate_may_decline_the_catalogues_rules() -> None:
    """Then only its own count."""
    policies = Policies(regimes_from_catalogue=False)
    assert verdict_on(cloud(), workload(regimes=("gdpr", "never-heard-of")), policies=policies) is None


def test_a_regime_nobody_has_a_rule_for_refuses_everywhere() -> None:
    """Closed, and the text says what to do."""
    found = verdict_on(cloud(), workload(regimes=("never-heard-of",)))
    assert found is not None
    assert found.reason is RefusalReason.RESIDENCY
    assert "never-heard-of" in found.text


def test_an_own_rule_makes_a_regime_known() -> None:
    """A house regime with a rule of the estate."""
    rule = ResidencyRule(allow=("US",), regimes=("house",))
    policies = Policies(residency=(rule,))
    assert verdict_on(cloud(), workload(regimes=("house",)), policies=policies) is None
    assert verdict_on(colo("NL"), workload(regimes=("house",)), policies=policies) is not None


def test_a_regime_without_placement_rule_allows() -> None:
    """It is known, and asks nothing of the place."""
    assert verdict_on(cloud(), workload(regimes=("nis2",))) is None


def test_a_dataset_brings_its_rules_along() -> None:
    """Reading or writing regulated data is being regulated."""
    dataset = Dataset(id=DatasetId("records"), size_gb=1.0, regimes=("gdpr",))
    use = DatasetUse(dataset=DatasetId("records"), gb_per_month=1.0)
    for touching in (workload(reads=(use,)), workload(writes=(use,))):
        found = verdict_on(cloud(), touching, datasets=(dataset,))
        assert found is not None
        assert found.reason is RefusalReason.RESIDENCY


def test_an_unknown_country_is_refused_where_residency_is_asked() -> None:
    """A site without country or known region, and only where a rule applies."""
    nowhere = cloud("moon-1")
    found = verdict_on(nowhere, workload(regimes=("gdpr",)))
    assert found is not None
    assert "not known" in found.text
    assert verdict_on(nowhere, workload()) is None


def test_the_operators_jurisdiction_counts_where_the_rule_says_so() -> None:
    """An American operator in the Netherlands."""
    site = replace(colo("NL"), jurisdiction="US")
    lenient = Policies(residency=(ResidencyRule(allow=("EEA",)),))
    strict = Policies(residency=(ResidencyRule(allow=("EEA",), by_jurisdiction=True),))
    assert verdict_on(site, workload(), policies=lenient) is None
    found = verdict_on(site, workload(), policies=strict)
    assert found is not None
    assert "jurisdiction" in found.text


def test_certificates_are_all_needed_and_case_does_not_matter() -> None:
    """Holding one of two is not enough."""
    rule = CertificationRule(requires=("ISO27001", "soc2"), classifications=("restricted",))
    policies = Policies(certification=(rule,))
    asked = workload(classification="restricted")
    half = replace(colo(), certifications=("iso27001",))
    found = verdict_on(half, asked, policies=policies)
    assert found is not None
    assert found.reason is RefusalReason.CERTIFICATION
    assert "`soc2`" in found.text.partition("lacks")[2]
    assert verdict_on(replace(colo(), certifications=("iso27001", "SOC2")), asked, policies=policies) is None
    assert verdict_on(colo(), workload(classification="public"), policies=policies) is None


def test_an_empty_classification_matches_every_classified_rule() -> None:
    """Undeclared is treated as the most sensitive."""
    rule = ResidencyRule(allow=("NL",), classifications=("restricted",))
    found = verdict_on(cloud(), workload(classification=""), policies=Policies(residency=(rule,)))
    assert found is not None


def test_a_licence_confines_its_model() -> None:
    """By kind of site, and by country."""
    by_kind = (ModelSpec(id=ModelId("m8"), licence_kinds=("colo",)),)
    by_country = (ModelSpec(id=ModelId("m8"), licence_countries=("EEA",)),)
    for models in (by_kind, by_country):
        found = verdict_on(cloud(), workload(), models=models)
        assert found is not None
        assert found.reason is RefusalReason.LICENCE
        assert verdict_on(colo("NL"), workload(), models=models) is None


def test_confinement_is_told_before_residency_and_residency_before_certification() -> None:
    """One reason at a time, in a fixed order."""
    rules = Policies(residency=(ResidencyRule(allow=("NL",)),), certification=(CertificationRule(requires=("c5",)),))
    confined = verdict_on(cloud(), workload(only_at=("edge",)), policies=rules)
    resident = verdict_on(cloud(), workload(), policies=rules)
    certified = verdict_on(colo("NL"), workload(), policies=rules)
    reasons = [found.reason for found in (confined, resident, certified) if found is not None]
    assert reasons == [RefusalReason.CONFINED, RefusalReason.RESIDENCY, RefusalReason.CERTIFICATION]


PLACES = st.builds(
    Place,
    id=st.sampled_from(["a", "b"]),
    kind=st.sampled_from(["cloud", "edge"]),
    layer=st.just("public"),
    country=st.sampled_from(COUNTRIES),
    jurisdiction=st.sampled_from(COUNTRIES),
    certifications=st.frozensets(st.sampled_from(CERTIFICATES)),
)
SUBJECTS = st.builds(
    Subject,
    workload=st.sampled_from(["w1", "w2"]),
    classifications=st.frozensets(st.sampled_from(LABELS), min_size=1),
    regimes=st.frozensets(st.sampled_from(REGIMES)),
    licence_countries=st.one_of(st.none(), st.frozensets(st.sampled_from(["DE", "US"]))),
)
RULES = st.builds(
    Rule,
    name=st.just("rule"),
    allow=st.one_of(st.none(), st.frozensets(st.sampled_from(["DE", "NL", "US"]))),
    requires=st.frozensets(st.sampled_from(CERTIFICATES), max_size=1),
    classifications=st.frozensets(st.sampled_from(["public", "restricted"])),
    regimes=st.frozensets(st.sampled_from(REGIMES)),
    workloads=st.frozensets(st.sampled_from(["w1", "w2"]), max_size=1),
    by_jurisdiction=st.booleans(),
)


@given(place=PLACES, subject=SUBJECTS, rules=st.lists(RULES, max_size=6), data=st.data())
def test_no_order_of_rules_lets_a_workload_out_of_its_allow_set(
    place: Place, subject: Subject, rules: list[Rule], data: st.DataObject
) -> None:
    """Allowed means: every matching rule names the country and finds its certificates; order changes nothing."""
    shuffled = data.draw(st.permutations(rules))
    allowed = judge(place, subject, Rulebook(rules=tuple(rules))) is None
    assert allowed is (judge(place, subject, Rulebook(rules=tuple(shuffled))) is None)
    if not allowed:
        return
    for rule in rules:
        names = rule.classifications or rule.regimes or rule.workloads
        is_meant = (
            bool(rule.classifications & subject.classifications)
            or bool(rule.classifications and "" in subject.classifications)
            or bool(rule.regimes & subject.regimes)
            or subject.workload in rule.workloads
        )
        if names and not is_meant:
            continue
        assert rule.allow is None or place.country in rule.allow
        assert rule.allow is None or not rule.by_jurisdiction or place.jurisdiction in rule.allow
        assert rule.requires <= place.certifications


@given(place=PLACES, subject=SUBJECTS, rules=st.lists(RULES, max_size=4), one_more=RULES)
def test_another_rule_never_opens_a_place(place: Place, subject: Subject, rules: list[Rule], one_more: Rule) -> None:
    """Rules only ever take places away."""
    before = judge(place, subject, Rulebook(rules=tuple(rules)))
    after = judge(place, subject, Rulebook(rules=(*rules, one_more)))
    assert before is None or after is not None
