from __future__ import annotations

from dataclasses import fields

import pytest
from jsonschema import Draft202012Validator

from tripoint.adapters.estate_yaml.decode import decode
from tripoint.adapters.estate_yaml.schema import estate_schema, known_keys, type_at
from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate
from tripoint.domain.site import CoolingClass, PowerEnvelope, Site

Document = dict[str, object]


def document(**changes: object) -> Document:
    """A least estate as plain values."""
    base: Document = {
        "apiVersion": "tripoint/v1",
        "sites": [{"id": "a", "kind": "cloud"}],
        "workloads": [{"id": "w", "kind": "training", "demand": {}}],
    }
    return {**base, **changes}


def findings(**changes: object) -> list[Finding]:
    """What decoding the changed estate answers."""
    return decode(document(**changes), Estate)[1]


def test_a_least_estate_decodes_to_domain_values() -> None:
    """Plain values become frozen dataclasses with tuples and enumerations; whole numbers fit float fields."""
    site = {"id": "a", "kind": "colo", "power": {"it_kw": 5, "cooling": "direct_liquid"}, "certifications": ["soc2"]}
    estate, said = decode(document(sites=[site]), Estate)
    assert said == []
    assert estate is not None
    power = estate.sites[0].power
    assert power == PowerEnvelope(it_kw=5.0, cooling=CoolingClass.DIRECT_LIQUID)
    assert isinstance(power.it_kw, float)
    assert estate.sites[0].certifications == ("soc2",)


def test_all_mistakes_are_told_at_once() -> None:
    """Six mistakes in one estate give six findings, each with its own path."""
    said = findings(
        sites=[{"id": 5, "kind": "clowd", "powr": {}, "count": 1.5, "power": {"pue": "1.2"}}, {"id": "b"}],
    )
    assert {(each.code, each.path) for each in said} == {
        ("TP1103", "sites[0].id"),
        ("TP1104", "sites[0].kind"),
        ("TP1101", "sites[0].powr"),
        ("TP1103", "sites[0].count"),
        ("TP1103", "sites[0].power.pue"),
        ("TP1102", "sites[1].kind"),
    }


@pytest.mark.parametrize(
    ("power", "message", "hint"),
    [
        ({"pue": "1.2"}, "expects a number, found the text `1.2`", "write `1.2`, without quotes"),
        ({"pue": "1,200"}, "expects a number, found the text `1,200`", "write `1200`, without quotes"),
        ({"pue": "40%"}, "expects a number, found the text `40%`", "write the fraction `0.4`"),
        ({"pue": "1.5 %"}, "expects a number, found the text `1.5 %`", "write the fraction `0.015`"),
        ({"pue": "12 kW"}, "expects a number, found the text `12 kW`", "write the number alone, without its unit"),
        ({"pue": True}, "expects a number, found `true`", "write a number, without quotes"),
        ({"pue": "lots"}, "expects a number, found the text `lots`", "write it in figures"),
        ({"pue": [1]}, "expects a number, found a list of 1", "write a number, without quotes"),
        ({"pue": {}}, "expects a number, found an empty mapping", "write a number, without quotes"),
        ({"racks": 2.5}, "expects a whole number, found the number `2.5`", "write a whole number, without quotes"),
        ({"feeds": 2}, "expects one of `N`, `N+1`, `2N`, found the number `2`", "write one of these values"),
        (7, "expects a mapping with keys such as `it_kw`, `feeds`, `feed_count`, found the number `7`", "write it"),
        ({"envelope_is_after_redundancy": "yes"}, "expects `true` or `false`, found the text `yes`", "write `true` or"),
    ],
)  # fmt: skip
def test_wrong_types_say_what_was_found_and_what_is_expected(power: object, message: str, hint: str) -> None:
    """Nothing is converted silently, and the hint says what to write."""
    said = findings(sites=[{"id": "a", "kind": "colo", "power": power}])
    assert [each.message for each in said] == [message]
    assert said[0].hint.startswith(hint)


def test_a_missing_key_is_shown_as_it_is_written() -> None:
    """With the first of the values it may have, where they are few."""
    said = findings(sites=[{"id": "a"}], links=[{"id": "l"}])
    hints = {each.path: each.hint for each in said}
    assert hints["sites[0].kind"] == "add `kind: cloud`, or another of these values"
    assert hints["links[0].source"] == "add `source: ...`"


def test_a_value_near_none_that_is_allowed_still_has_a_hint() -> None:
    """`cooling: ice` resembles nothing."""
    said = findings(sites=[{"id": "a", "kind": "colo", "power": {"cooling": "ice"}}])
    assert [(each.code, each.hint) for each in said] == [("TP1104", "write one of these values, spelled exactly so")]


def test_a_boolean_where_text_is_expected_asks_for_quotes() -> None:
    """`provider: true` and the like get the hint YAML users need."""
    said = findings(name=True)
    assert said[0].message == "expects text, found `true`"
    assert "quotes" in said[0].hint


def test_a_bare_year_is_answered_with_a_month_of_it() -> None:
    """`start: 2027` is a number to YAML; in quotes it would be no month either."""
    assert [each.hint for each in findings(horizon={"start": 2027})] == ["name the month as well: `2027-01`"]
    assert [each.hint for each in findings(horizon={"start": 7})] == ["put it in quotes"]
    assert [each.hint for each in findings(name=2027)] == ["put it in quotes"]


def test_unknown_keys_name_the_nearest_known_or_all_of_them() -> None:
    """A near miss gets a suggestion; a stranger gets the list."""
    said = findings(sites=[{"id": "a", "kind": "cloud", "jurisdictoin": "US", "zzz": 1}])
    hints = {each.path: each.hint for each in said}
    assert hints["sites[0].jurisdictoin"] == "did you mean `jurisdiction`"
    assert hints["sites[0].zzz"].startswith("known keys here: `id`, `kind`, `provider`")


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_not_finite_are_refused(number: float) -> None:
    """NaN and infinities never reach the planner."""
    said = findings(assumptions={"pue.colo": number})
    assert [(each.code, each.path) for each in said] == [("TP1014", 'assumptions["pue.colo"]')]


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (float("inf"), "write a finite number, or remove the key where it stands for no limit"),
        (float("nan"), "write a finite number"),
    ],
)
def test_what_is_not_a_number_stands_for_no_limit_either(number: float, hint: str) -> None:
    """Only an infinite value can have been meant as one."""
    assert [each.hint for each in findings(assumptions={"pue.colo": number})] == [hint]


def test_another_schema_version_hides_findings_that_may_be_right_there() -> None:
    """Only the version is told; a missing version is told beside the rest."""
    assert [each.code for each in findings(apiVersion="tripoint/v2", extra=1)] == ["TP1012"]
    missing = decode({"sites": [], "workloads": [], "extra": 1}, Estate)[1]
    assert {each.code for each in missing} == {"TP1012", "TP1101"}


def test_types_can_be_looked_up_by_path() -> None:
    """Messages rest on the domain's own types, through optional fields, tuples and mappings."""
    assert type_at(Estate, ("sites", 0, "power", "cooling")) is CoolingClass
    assert type_at(Estate, ("sites", 0)) is Site
    assert type_at(Estate, ("assumptions", "pue.colo")) is float
    assert type_at(Estate, ("sites", "x")) is None
    assert known_keys(Site) == tuple(each.name for each in fields(Site))


def test_the_editors_schema_is_sound_and_describes_every_field() -> None:
    """Valid JSON Schema, closed mappings, a description on every property, and no address in its id."""
    schema = estate_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["$id"].startswith("urn:")
    closed = [schema, *(each for each in schema["$defs"].values() if "properties" in each)]
    assert all(each["additionalProperties"] is False for each in closed)
    for each in closed:
        for name, field in each["properties"].items():
            described = field.get("description") or schema["$defs"][field["$ref"].rsplit("/", 1)[-1]]["description"]
            assert described, name


def test_the_editors_schema_agrees_with_the_decoder() -> None:
    """What the decoder takes the schema takes, and a wrong type or unknown key fails in both."""
    validator = Draft202012Validator(estate_schema())
    assert validator.is_valid(document())
    for wrong in (document(extra=1), document(name=5), document(sites=[{"id": "a", "kind": "clowd"}])):
        assert not validator.is_valid(wrong)
        assert decode(wrong, Estate)[1]
