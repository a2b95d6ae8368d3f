"""Rules that name what is there, and what is spelt nearly like it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.adapters.catalog_csv import load_catalog
from tripoint.domain.dataset import Dataset
from tripoint.domain.estate import Estate
from tripoint.domain.policy import CertificationRule, ConcentrationCap, Policies, ResidencyRule
from tripoint.domain.serving import Serving
from tripoint.domain.site import Site, SiteKind
from tripoint.domain.units import DatasetId, ModelId, SiteId, WorkloadId
from tripoint.domain.workload import Demand, Workload, WorkloadKind
from tripoint.engines.checks.labels import _steps, check_labels, is_slip

CATALOG = load_catalog()
WORDS = st.text("abc", max_size=6)


def estate_of(carried: list[str], named: list[str], **fields: Any) -> Estate:
    """Workloads that carry labels, and one residency rule that names labels."""
    load = Workload(
        id=WorkloadId("w"), kind=WorkloadKind.INFERENCE, model=ModelId("m"),
        demand=Demand(requests_per_s=1.0, input_tokens=10.0, output_tokens=10.0),
    )  # fmt: skip
    return Estate(
        apiVersion="tripoint/v1",
        sites=(Site(id=SiteId("cloud"), kind=SiteKind.CLOUD, provider="aws", region="eu-central-1"),),
        workloads=tuple(replace(load, classification=label) for label in carried),
        **{"policies": Policies(residency=(ResidencyRule(allow=("EEA",), classifications=tuple(named)),)), **fields},
    )


def told(estate: Estate) -> list[tuple[str, str]]:
    """Code and path of what is found."""
    return [(each.code, each.path) for each in check_labels(estate, CATALOG)]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("confidental", "confidential"),
        ("confidetnial", "confidential"),
        ("confidnetail", "confidential"),
        ("Confidential", "confidential"),
        ("customer_eu", "customer-eu"),
        ("CustomerEU", "customer-eu"),
        ("costumer-eu", "customer-eu"),
        ("patients", "patient"),
        ("restrictd", "restricted"),
        ("phi ", "phi"),
        ("pih", "phi"),
    ],
)
def test_a_misspelt_label_of_a_rule_is_refused(wrong: str, right: str) -> None:
    """The rule would match nothing, and what it is about could go anywhere: one error, with the nearest label."""
    (found,) = check_labels(estate_of(["public", right], [wrong]), CATALOG)
    assert (found.code, found.path) == ("TP1220", "policies.residency[0].classifications[0]")
    assert f"`{right}` (workloads[1].classification) is named by no residency rule" in found.message
    assert f"did you mean `{right}`" in found.hint


@pytest.mark.parametrize(
    ("named", "carried"),
    [
        ("tier-1", "tier-2"),
        ("zone-a", "zone-b"),
        ("customer-us", "customer-eu"),
        ("external", "internal"),
        ("unrestricted", "restricted"),
        ("gold", "cold"),
        ("phi", "pii"),
        ("restricted", "confidential"),
        ("personal-data", "personal"),
    ],
)
def test_another_label_is_a_rule_for_later(named: str, carried: str) -> None:
    """What resembles nothing that is unruled is warned of as before, and no more."""
    assert told(estate_of([carried], [named])) == [("TP1507", "policies.residency[0].classifications[0]")]


def test_a_label_that_a_rule_names_anyway_is_nobodys_slip() -> None:
    """A rule for `patients` to come beside one for `patient` takes nothing from under a rule."""
    assert told(estate_of(["patient"], ["patient", "patients"])) == [
        ("TP1507", "policies.residency[0].classifications[1]")
    ]


def test_a_misspelt_label_of_a_workload_is_refused() -> None:
    """The others keep the rule in use, so that nothing else would tell; of data it is the same."""
    assert told(estate_of(["patient", "patients"], ["patient"])) == [("TP1220", "workloads[1].classification")]
    dataset = Dataset(id=DatasetId("d"), size_gb=1.0, classification="Patient")
    assert told(estate_of(["patient"], ["patient"], datasets=(dataset,))) == [("TP1220", "datasets[0].classification")]
    assert told(estate_of(["confidential", "confidnetail"], ["confidential"])) == []  # too far to refuse a workload


def test_two_labels_that_are_meant_are_declared() -> None:
    """Listed under `serving.labels` a word is meant as it stands, in a rule and on a workload."""
    for carried, named in ((["patient"], ["patients"]), (["patient", "patients"], ["patient"])):
        assert [code for code, _ in told(estate_of(carried, named))] == ["TP1220"]
        assert told(estate_of(carried, named, serving=Serving(labels=("patient", "patients")))) == []


def test_a_label_only_requests_carry_is_in_use() -> None:
    """A rule for it does decide something."""
    assert told(estate_of(["public"], ["secret"], serving=Serving(labels=("secret",)))) == []
    assert told(estate_of(["public"], ["secrte"], serving=Serving(labels=("secret",)))) == [
        ("TP1220", "policies.residency[0].classifications[0]")
    ]


def test_rules_of_each_kind_are_looked_at_alone() -> None:
    """A certificate asked for rightly does not make up for a country asked for wrongly."""
    policies = Policies(
        residency=(ResidencyRule(allow=("EEA",), classifications=("patinet",)),),
        certification=(CertificationRule(requires=("c5",), classifications=("patient",)),),
    )
    assert told(estate_of(["patient"], [], policies=policies)) == [
        ("TP1220", "policies.residency[0].classifications[0]")
    ]


def test_a_misspelt_regime_of_a_rule_is_refused_and_a_known_one_is_not() -> None:
    """The catalogue's own regimes are words of their own, however near."""
    base = estate_of(["internal"], [])
    load = replace(base.workloads[0], regimes=("GDPR",))
    for name, code in (("gdrp", "TP1220"), ("hipaa", "TP1507"), ("gdpr", "")):
        policies = Policies(residency=(ResidencyRule(allow=("EEA",), regimes=(name,)),))
        found = told(replace(base, workloads=(load,), policies=policies))
        assert found == ([(code, "policies.residency[0].regimes[0]")] if code else [])


def test_a_cap_on_a_provider_nobody_has_is_warned_of() -> None:
    """It caps nothing."""
    policies = Policies(concentration=(ConcentrationCap(max_share=0.5, provider="aww"),))
    assert told(estate_of(["internal"], [], policies=policies)) == [("TP1507", "policies.concentration[0].provider")]


@given(WORDS, WORDS)
def test_slips_are_symmetric_and_no_word_is_its_own(one: str, two: str) -> None:
    """Which of two words is right cannot be told from their letters."""
    assert is_slip(one, two, letters=2) == is_slip(two, one, letters=2)
    assert not is_slip(one, one, letters=2)
    assert _steps(one, two) == _steps(two, one)
    assert (_steps(one, two) == 0) == (one == two)
    assert _steps(one, two) <= max(len(one), len(two))
