"""Who is in the table: the planner's filter decides, for the workload and for every label, and fails closed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.placement import chat, hall, place, placement_catalog, region
from tests.factories.served import M8, compiled, serve, two_sites, upstream

from tripoint.domain.dataset import Dataset
from tripoint.domain.estate import Estate
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.policy import CertificationRule, Policies, ResidencyRule
from tripoint.domain.serving import ClientKey, Fallback
from tripoint.domain.site import Site, SiteKind
from tripoint.domain.table import Route
from tripoint.domain.units import DatasetId, ModelId, SiteId, WorkloadId
from tripoint.domain.workload import DatasetUse
from tripoint.engines.gateway.table.labels import known_labels
from tripoint.engines.sizing.policy import is_allowed, place_of, rulebook, subject_of

EEA = Policies(residency=(ResidencyRule(allow=("EEA",), classifications=("personal",)),))


def who(estate: Estate, label: str | None = None) -> list[str]:
    """Upstreams of the first route, or those a label leaves."""
    table = compiled(estate).table
    if not table.routes:
        return []
    route = table.routes[0]
    chosen = range(len(route.candidates)) if label is None else route.allowed.get(label, ())
    return [table.targets[route.candidates[index].target].id for index in chosen]


def test_a_rule_removes_the_upstream_from_the_route() -> None:
    """The US region is no candidate for personal data, the hall in the Netherlands is."""
    assert who(two_sites(policies=EEA)) == ["hall-1", "cloud-1"]
    assert who(two_sites(workloads=(chat(classification="personal"),), policies=EEA)) == ["hall-1"]


def test_a_label_only_removes() -> None:
    """A request may say it is more delicate than its workload; no label brings anything back."""
    assert who(two_sites(policies=EEA), "personal") == ["hall-1"]
    assert who(two_sites(policies=EEA), "internal") == ["hall-1", "cloud-1"]
    section = serve(upstream("hall-1", "hall", "server"), upstream("cloud-1", "cloud", "big"), labels=("internal",))
    personal = two_sites(section, workloads=(chat(classification="personal"),), policies=EEA)
    assert who(personal, "internal") == ["hall-1"]


def test_a_label_nobody_knows_allows_nothing() -> None:
    """It is absent from the table, which the data path reads as none."""
    assert who(two_sites(policies=EEA), "no-such-label") == []


def test_a_place_of_unknown_country_is_out() -> None:
    """Fail closed: where the country is not known, a residency rule refuses."""
    nowhere = Site(id=SiteId("cloud"), kind=SiteKind.GPU_CLOUD, provider="nobody", pools=())
    section = serve(upstream("hall-1", "hall", "server"), upstream("cloud-1", "cloud", usd_in_per_mtok=1.0))
    estate = place(hall(), nowhere, workloads=(chat(classification="personal"),), policies=EEA, serving=section)
    assert who(estate) == ["hall-1"]


def test_data_the_workload_reads_counts_as_its_own() -> None:
    """A dataset's label confines the workload that touches it."""
    people = Dataset(id=DatasetId("people"), size_gb=1.0, classification="personal")
    reader = chat(reads=(DatasetUse(dataset=people.id, gb_per_month=1.0),))
    assert who(two_sites(workloads=(reader,), datasets=(people,), policies=EEA)) == ["hall-1"]


def test_where_the_author_confined_it_and_where_the_licence_allows_it() -> None:
    """`only_at`, `not_at` and the licence are part of the same filter."""
    assert who(two_sites(workloads=(chat(only_at=("public",)),))) == ["cloud-1"]
    assert who(two_sites(workloads=(chat(not_at=("cloud",)),))) == ["hall-1"]
    licensed = ModelSpec(id=M8, licence_kinds=("colo",))
    assert who(two_sites(models=(licensed,))) == ["hall-1"]


def test_a_fallback_model_is_judged_by_its_own_licence_and_has_no_share() -> None:
    """Another model may answer only where the estate says so, and only where that model may be."""
    section = serve(
        upstream("hall-1", "hall", "server"),
        upstream("hall-2", "hall", "server", "other"),
        upstream("cloud-2", "cloud", "big", "other"),
        fallbacks=(Fallback(workload=WorkloadId("chat"), models=(ModelId("other"),)),),
    )
    models = (ModelSpec(id=M8), ModelSpec(id=ModelId("other"), like="m8", licence_countries=("NL",)))
    (route,) = compiled(two_sites(section, models=models)).table.routes
    assert [(each.model, each.is_fallback, each.share) for each in route.candidates] == [
        ("m8", False, 0.0),
        ("other", True, 0.0),
    ]
    assert [each.name for each in route.candidates] == ["m8-served", "other-served"]
    without = replace(section, fallbacks=())
    (route,) = compiled(two_sites(without, models=models)).table.routes
    assert [each.is_fallback for each in route.candidates] == [False]


def test_a_fallback_alone_makes_no_route() -> None:
    """A workload whose own model nothing may serve is refused, not answered by another one."""
    section = serve(
        upstream("hall-2", "hall", "server", "other"),
        fallbacks=(Fallback(workload=WorkloadId("chat"), models=(ModelId("other"),)),),
    )
    models = (ModelSpec(id=M8), ModelSpec(id=ModelId("other"), like="m8"))
    assert compiled(two_sites(section, models=models)).table.routes == ()


def test_keys_are_confined_to_sites() -> None:
    """`only_at` of a key becomes the sites it names, by id, kind or layer; a place that matches none allows none."""
    keys = (
        ClientKey(id="free", secret="env:A"),
        ClientKey(id="dense", secret="env:B", only_at=("dense",), workloads=(WorkloadId("chat"),), tenant="t"),
        ClientKey(id="edge", secret="env:C", only_at=("edge",)),
    )
    table = compiled(two_sites(serve(upstream("hall-1", "hall", "server"), keys=keys))).table
    assert [(key.id, key.sites) for key in table.keys] == [("free", None), ("dense", ("hall",)), ("edge", ())]
    assert (table.keys[1].tenant, table.keys[1].workloads, table.keys[1].secret) == ("t", ("chat",), "env:B")


def test_every_label_in_use_is_known() -> None:
    """Those of workloads, datasets, rules and requests; the empty one is no label."""
    estate = two_sites(
        serve(labels=("asked",)),
        workloads=(chat(classification="own"), chat("other", classification="")),
        datasets=(Dataset(id=DatasetId("d"), size_gb=1.0, classification="kept"),),
        policies=Policies(
            residency=(ResidencyRule(allow=("EEA",), classifications=("resident",)),),
            certification=(CertificationRule(requires=("iso27001",), classifications=("certified",)),),
        ),
    )
    assert known_labels(estate) == ("asked", "certified", "kept", "own", "resident")


LABELS = ("internal", "personal", "sealed", "public")
rules = st.builds(
    ResidencyRule,
    allow=st.lists(st.sampled_from(("EEA", "NL", "US", "DE")), max_size=2).map(tuple),
    classifications=st.lists(st.sampled_from(LABELS), max_size=2).map(tuple),
    by_jurisdiction=st.booleans(),
)
SITES = (hall(), hall("abroad", country="US"), hall("secret", country=None), region(), region("nowhere", region=None))


@st.composite
def ruled(draw: st.DrawFn) -> Estate:
    """Five sites of known and unknown country, an upstream at each, any rules."""
    classification = draw(st.sampled_from((*LABELS, "")))
    section = serve(*(upstream(f"at-{site.id}", site.id, usd_in_per_mtok=1.0) for site in SITES), labels=LABELS)
    policies = Policies(residency=tuple(draw(st.lists(rules, max_size=3))))
    return place(*SITES, workloads=(chat(classification=classification),), policies=policies, serving=section)


@settings(max_examples=50, deadline=None)
@given(ruled())
def test_the_table_holds_exactly_what_the_planners_filter_allows(estate: Estate) -> None:
    """Nothing more under any label, nothing less without one."""
    catalog = placement_catalog()
    book = rulebook(estate, catalog)
    subject = subject_of(estate.workloads[0], estate, catalog)
    places = [place_of(site, catalog) for site in estate.sites]
    wanted = [f"at-{each.id}" for each in places if is_allowed(each, subject, book)]
    assert who(estate) == wanted
    routes: tuple[Route, ...] = compiled(estate).table.routes
    for label in LABELS if routes else ():
        more = replace(subject, classifications=subject.classifications | {label})
        left = [f"at-{each.id}" for each in places if is_allowed(each, more, book)]
        assert who(estate, label) == left
        assert set(left) <= set(wanted)
