"""What is asked of a serving section: every mistake is told, at its place, and no secret with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.adapters.catalog_csv import load_catalog
from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.policy import Policies, ResidencyRule
from tripoint.domain.purchase import PurchaseOption
from tripoint.domain.serving import Api, ClientKey, Dialect, Fallback, Hedging, Serving, Shifting, Upstream
from tripoint.domain.site import Site, SiteKind
from tripoint.domain.units import ModelId, NodeTypeId, SiteId, UpstreamId, WorkloadId
from tripoint.domain.workload import Demand, Workload, WorkloadKind
from tripoint.engines.checks import check_estate
from tripoint.engines.checks.serving.names import MAX_UPSTREAMS
from tripoint.engines.checks.serving.reach import check_reach

CATALOG = load_catalog()
MODEL = ModelId("llama3.1-8b")
CLOUD = Site(id=SiteId("cloud"), kind=SiteKind.CLOUD, provider="aws", region="eu-central-1")
HALL = Site(id=SiteId("hall"), kind=SiteKind.GPU_CLOUD, provider="nebius", country="FI")
CHAT = Workload(
    id=WorkloadId("chat"), kind=WorkloadKind.INFERENCE, model=MODEL,
    demand=Demand(requests_per_s=1.0, input_tokens=100.0, output_tokens=100.0),
)  # fmt: skip


def upstream(**fields: Any) -> Upstream:
    """A good upstream with some fields replaced."""
    good: dict[str, Any] = {
        "id": "u", "site": "cloud", "url": "https://u.example/v1", "models": {MODEL: "llama"}, "node_type": "g6.xlarge",
    }  # fmt: skip
    return Upstream(**(good | fields))


def estate(*upstreams: Upstream, **fields: Any) -> Estate:
    """An estate with these upstreams; `fields` are those of the serving section."""
    section = Serving(upstreams=upstreams or (upstream(),), **fields)
    models = (ModelSpec(id=MODEL),)
    return Estate(apiVersion="tripoint/v1", sites=(CLOUD, HALL), models=models, workloads=(CHAT,), serving=section)


def told(asked: Estate) -> list[tuple[str, str]]:
    """Code and path of what is said about serving."""
    return [(each.code, each.path.removeprefix("serving.")) for each in findings(asked)]


def findings(asked: Estate) -> list[Finding]:
    """What is said about serving."""
    return [each for each in check_estate(asked, CATALOG) if each.path.startswith("serving")]


def test_a_good_section_is_met_with_silence() -> None:
    """All kinds of addresses and references that are right."""
    good = (
        upstream(secret="env:A_KEY", api_version="2024-10-21", metrics="/metrics"),
        upstream(id="v6", url="http://[::1]:8000", secret="file:secrets/key"),
        upstream(id="lan", site="hall", url="http://10.1.2.3:8000/v1", secret="env:B", node_type=None),
        upstream(id="dns", site="hall", url="http://llm.shops.internal/openai/v1/", secret="env:B", node_type=None),
    )
    keys = (ClientKey(id="a", secret="env:K"), ClientKey(id="b", secret="file:/run/secrets/b", only_at=("public",)))
    assert findings(estate(*good, keys=keys, labels=("customer-eu",), hedging=Hedging())) == []


@pytest.mark.parametrize(
    "url",
    [
        "", "u.example", "//u.example/v1", "ftp://u.example/v1", "file:///etc/passwd", "unix:/run/x.sock",
        "http://", "http:///v1", "http://u.example:0/v1", "http://u.example:99999/v1", "http://u.example:x/v1",
        "http://[::1/v1", "http://u.example/v1?key=1", "http://u.example/v1?", "http://u.example/v1#a", "http://u.example/#",
        "http://u example/v1", "http://u.example/v 1", "http://u.example/v1\r\nHost: evil", "http://u.example/v1\n",
        "http://u.example/../admin", "http://u.example/%2e%2e/admin", "http://u_.example\t/v1", "http://-x.example/v1",
        "http://münchen.example/v1", "http://u.example/v1\x00",
    ],
)  # fmt: skip
def test_addresses_that_cannot_be_used(url: str) -> None:
    """One finding each, at the address."""
    assert told(estate(upstream(url=url))) == [("TP1325", "upstreams[0].url")]


SECRET = "sk-live-0123456789abcdef"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"secret": SECRET}, "upstreams[0].secret"),
        ({"secret": ""}, "upstreams[0].secret"),
        ({"secret": "env:"}, "upstreams[0].secret"),
        ({"secret": f"env:{SECRET}"}, "upstreams[0].secret"),
        ({"secret": "file:"}, "upstreams[0].secret"),
        ({"secret": f"Bearer {SECRET}"}, "upstreams[0].secret"),
        ({"url": f"https://user:{SECRET}@u.example/v1"}, "upstreams[0].url"),
        ({"url": f"https://{SECRET}@u.example/v1"}, "upstreams[0].url"),
    ],
)
def test_a_secret_written_out_is_told_without_being_shown(fields: dict[str, str], path: str) -> None:
    """The answer may be pasted into a ticket."""
    (said,) = findings(estate(upstream(**fields)))
    assert (said.code, said.path) == ("TP1326", f"serving.{path}")
    assert SECRET not in said.message + said.hint


def test_a_secret_in_a_query_is_not_shown_either() -> None:
    """The query is described, not quoted."""
    (said,) = findings(estate(upstream(url=f"https://u.example/v1?key={SECRET}")))
    assert SECRET not in said.message + said.hint


def test_a_keys_secret_is_a_reference_too() -> None:
    """And its own: two keys of one secret would be one caller."""
    written = (ClientKey(id="a", secret=SECRET), ClientKey(id="b", secret=SECRET))
    said = findings(estate(keys=written))
    assert [(each.code, each.path) for each in said] == [
        ("TP1326", "serving.keys[0].secret"),
        ("TP1326", "serving.keys[1].secret"),
    ]
    assert all(SECRET not in each.message + each.hint for each in said)
    twice = (ClientKey(id="a", secret="env:K"), ClientKey(id="b", secret="env:K"))
    assert told(estate(keys=twice)) == [("TP1215", "keys[1].secret")]


@pytest.mark.parametrize(
    ("fields", "warned"),
    [
        ({"url": "http://u.example/v1", "site": "cloud"}, True),
        ({"url": "http://10.0.0.1/v1", "site": "cloud"}, True),
        ({"url": "http://u.example/v1", "site": "hall"}, True),
        ({"url": "http://8.8.8.8/v1", "site": "hall"}, True),
        ({"url": "http://10.0.0.1/v1", "site": "hall"}, False),
        ({"url": "http://127.0.0.1:8000/v1", "site": "cloud"}, False),
        ({"url": "http://localhost:8000/v1", "site": "cloud"}, False),
        ({"url": "https://u.example/v1", "site": "cloud"}, False),
    ],
)
def test_a_credential_in_the_clear_is_warned_of(fields: dict[str, str], warned: bool) -> None:
    """Where others can read the way."""
    asked = estate(upstream(**fields, secret="env:A", node_type=None))
    assert told(asked) == [("TP1327", "upstreams[0].url")] * warned
    assert told(estate(upstream(**fields, node_type=None))) == []


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({"upstreams": (upstream(site="clodu"),)}, ("TP1201", "upstreams[0].site")),
        ({"upstreams": (upstream(models={"lama": "x"}),)}, ("TP1202", "upstreams[0].models.lama")),
        ({"upstreams": (upstream(node_type="g7.xlarge"),)}, ("TP1204", "upstreams[0].node_type")),
        (
            {"keys": (ClientKey(id="a", secret="env:A", workloads=(WorkloadId("cat"),)),)},
            ("TP1211", "keys[0].workloads[0]"),
        ),
        ({"keys": (ClientKey(id="a", secret="env:A", only_at=("edgy",)),)}, ("TP1212", "keys[0].only_at[0]")),
        ({"fallbacks": (Fallback(workload=WorkloadId("cat"), models=()),)}, ("TP1211", "fallbacks[0].workload")),
        (
            {"fallbacks": (Fallback(workload=WorkloadId("chat"), models=(ModelId("nope"),)),)},
            ("TP1202", "fallbacks[0].models[0]"),
        ),
        (
            {"fallbacks": (Fallback(workload=WorkloadId("chat"), models=(MODEL,)),)},
            ("TP1328", "fallbacks[0].models[0]"),
        ),
        ({"upstreams": (upstream(), upstream(url="https://v.example"))}, ("TP1215", "upstreams[1].id")),
        ({"upstreams": (upstream(id="a b"),)}, ("TP1216", "upstreams[0].id")),
        ({"upstreams": (upstream(id="ü"),)}, ("TP1216", "upstreams[0].id")),
        ({"upstreams": (upstream(models={MODEL: "a\r\nb"}),)}, ("TP1216", 'upstreams[0].models["llama3.1-8b"]')),
        ({"upstreams": (upstream(models={MODEL: ""}),)}, ("TP1216", 'upstreams[0].models["llama3.1-8b"]')),
        ({"labels": ("ok", "not ok")}, ("TP1216", "labels[1]")),
        ({"keys": (ClientKey(id="a", secret="env:A", tenant="t\n"),)}, ("TP1216", "keys[0].tenant")),
        ({"keys": (ClientKey(id="a\x7f", secret="env:A"),)}, ("TP1216", "keys[0].id")),
        ({"upstreams": (upstream(max_concurrency=0),)}, ("TP1302", "upstreams[0].max_concurrency")),
        ({"upstreams": (upstream(nodes=0.0),)}, ("TP1302", "upstreams[0].nodes")),
        ({"upstreams": (upstream(usd_in_per_mtok=-1.0),)}, ("TP1302", "upstreams[0].usd_in_per_mtok")),
        ({"upstreams": (upstream(metrics="metrics"),)}, ("TP1325", "upstreams[0].metrics")),
        ({"upstreams": (upstream(api_version="1\r\nX: y"),)}, ("TP1325", "upstreams[0].api_version")),
        ({"upstreams": (upstream(dialect=Dialect.ANTHROPIC, apis=(Api.CHAT,)),)}, ("TP1313", "upstreams[0].apis")),
        ({"retry_share": 1.5}, ("TP1301", "retry_share")),
        ({"deadline_s": 0.0}, ("TP1302", "deadline_s")),
        ({"first_byte_s": -1.0}, ("TP1302", "first_byte_s")),
        ({"stall_s": 0.0}, ("TP1302", "stall_s")),
        ({"shifting": Shifting(max_share=2.0)}, ("TP1301", "shifting.max_share")),
        ({"shifting": Shifting(step=0.0)}, ("TP1301", "shifting.step")),
        ({"shifting": Shifting(max_cost_factor=0.5)}, ("TP1302", "shifting.max_cost_factor")),
        ({"hedging": Hedging(quantile=0.0)}, ("TP1301", "hedging.quantile")),
        ({"hedging": Hedging(max_share=-0.1)}, ("TP1301", "hedging.max_share")),
    ],
)  # fmt: skip
def test_each_mistake_is_told_at_its_place(section: dict[str, Any], expected: tuple[str, str]) -> None:
    """One mistake, one finding."""
    asked = estate()
    assert told(replace(asked, serving=replace(asked.serving, **section))) == [expected]


def test_all_mistakes_are_told_at_once() -> None:
    """Whatever else is wrong."""
    bad = upstream(site="nowhere", url="gopher://x", secret=SECRET, nodes=-1.0, models={"what": "x"}, id="")
    assert len(findings(estate(bad, retry_share=7.0))) == 7


def test_one_address_at_two_sites_is_one_too_many() -> None:
    """Whatever the path: policy judges the site."""
    asked = estate(upstream(), upstream(id="v", site="hall", url="https://u.example:443/other", node_type=None))
    assert told(asked) == [("TP1329", "upstreams[1].url")]
    assert told(estate(upstream(), upstream(id="v", url="https://u.example/other"))) == []


def test_there_is_room_for_so_many_upstreams() -> None:
    """A reload may replace them all while the old ones still finish."""
    many = [upstream(id=f"u{n}", url=f"https://u{n}.example/v1") for n in range(MAX_UPSTREAMS + 1)]
    assert told(estate(*many)) == [("TP1302", "upstreams")]
    assert told(estate(*many[1:])) == []


def test_names_that_end_up_in_headers_are_plain_once_there_are_upstreams() -> None:
    """An estate that is only planned may call its sites what it likes."""
    asked = estate()
    named = replace(asked, sites=(CLOUD, replace(HALL, id=SiteId("Hälle"))))
    assert [each.code for each in check_estate(named, CATALOG)] == ["TP1216"]
    planned = replace(named, serving=Serving())
    assert [each.code for each in check_estate(planned, CATALOG)] == []


def reach(asked: Estate) -> list[tuple[str, str]]:
    """What policy leaves without."""
    return [(each.code, each.path) for each in check_reach(asked, CATALOG)]


def test_everything_within_reach_is_met_with_silence() -> None:
    """And an estate without upstreams is not asked."""
    assert reach(estate()) == []
    assert reach(replace(estate(), serving=Serving())) == []


def test_an_upstream_of_no_use_is_told() -> None:
    """Because nobody asks for its model, or because nobody who does may use it."""
    other = (ModelSpec(id=MODEL), ModelSpec(id=ModelId("qwen3-32b")))
    idle = upstream(id="v", url="https://v.example", models={ModelId("qwen3-32b"): "q"})
    assert reach(replace(estate(upstream(), idle), models=other)) == [("TP1406", "serving.upstreams[1]")]
    used = (Fallback(workload=CHAT.id, models=(ModelId("qwen3-32b"),)),)
    assert reach(replace(estate(upstream(), idle, fallbacks=used), models=other)) == []
    german = Policies(residency=(ResidencyRule(allow=("DE",)),))
    far = upstream(id="v", site="hall", url="https://v.example", node_type=None)
    assert reach(replace(estate(upstream(), far), policies=german)) == [("TP1406", "serving.upstreams[1]")]


def test_a_workload_nobody_serves_is_told() -> None:
    """No upstream with its model, or none it may use; runs need none."""
    tuning = Workload(id=WorkloadId("tune"), kind=WorkloadKind.FINE_TUNING, model=MODEL, demand=Demand())
    letters = replace(CHAT, id=WorkloadId("letters"), model=ModelId("qwen3-32b"))
    asked = replace(estate(), workloads=(CHAT, tuning, letters))
    assert reach(asked) == [("TP1407", "workloads[2].model")]
    french = Policies(residency=(ResidencyRule(allow=("FR",)),))
    assert ("TP1407", "workloads[0].model") in reach(replace(estate(), policies=french))


def test_an_upstream_the_plan_cannot_know_is_told() -> None:
    """It runs on what its site does not offer, or sells what its model does not accept."""
    assert reach(estate(upstream(node_type="dgx-h100"))) == [("TP1408", "serving.upstreams[0].node_type")]
    vendor = estate(upstream(node_type="openai/gpt-5.4-mini"))
    sold = replace(vendor, sites=(replace(CLOUD, apis=("openai/gpt-5.4-mini",)), HALL))
    assert reach(sold) == [("TP1408", "serving.upstreams[0].node_type")]
    accepted = replace(sold, models=(ModelSpec(id=MODEL, api_models=("openai/gpt-5.4-mini",)),))
    assert reach(accepted) == []


def test_spot_nodes_are_of_no_use_to_what_may_not_be_interrupted() -> None:
    """As in the plan: `allows_spot` decides."""
    asked = estate(upstream(option=PurchaseOption.SPOT))
    assert reach(asked) == [("TP1406", "serving.upstreams[0]"), ("TP1407", "workloads[0].model")]
    assert reach(replace(asked, workloads=(replace(CHAT, allows_spot=True),))) == []


texts = st.text(max_size=30)


@given(texts, texts, texts, texts)
def test_no_text_at_all_breaks_a_check(url: str, secret: str, name: str, version: str) -> None:
    """Whatever an author writes is answered with findings, never with an exception."""
    odd = upstream(id=UpstreamId(name), url=url, secret=secret, models={MODEL: name}, api_version=version, metrics=url)
    key = ClientKey(id=name, secret=secret, tenant=version, only_at=(name,))
    check_estate(estate(odd, keys=(key,), labels=(name,)), CATALOG)
    check_estate(estate(upstream(url=f"http://{url}", node_type=NodeTypeId(name))), CATALOG)
