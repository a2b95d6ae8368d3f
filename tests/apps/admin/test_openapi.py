"""The OpenAPI document is true: what it allows is taken, what it forbids refused, and every answer is as it says.

Schemathesis makes the requests, good and bad ones, and sends them to a real process.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth
from tests.factories.administering import AdminWorld, admin_process, populate, store_at

from tripoint.apps.admin.contract import Nothing, Operation
from tripoint.apps.admin.openapi import attribute_texts, document, statuses
from tripoint.apps.admin.process import open_stores
from tripoint.apps.admin.routes.table import OPERATIONS

EXAMPLES = 12 if os.environ.get("CI") else 4
# A good body may still ask for what cannot be: a name of nothing (404), an old version (412), a key of nobody (422).
SETTINGS = {
    "generation": {"with-security-parameters": False},
    "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", 401, 403, 404, 409, 412, 422, 429]}},
}


class Live(NamedTuple):
    """A running interface and what it says of itself."""

    schema: Any
    """Its document, as schemathesis reads it."""
    key: str
    """An admin's key."""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A process over a populated store."""
    url = store_at(tmp_path_factory.mktemp("live"))
    stores = open_stores(url)
    made = populate(stores)
    stores.close()
    with admin_process(url) as process:
        config = schemathesis.Config.from_dict(SETTINGS)
        yield Live(schemathesis.openapi.from_url(f"{process.address}/openapi.json", config=config), made["admin"])


@pytest.mark.enable_socket
@pytest.mark.no_cover  # the interface is another process
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.id)
def test_requests_are_answered_as_the_document_says(live: Live, operation: Operation, mode: GenerationMode) -> None:
    """No 5xx, no undocumented status, no content or header that is not as described; bad requests are refused."""
    described = live.schema[operation.path][operation.method]

    @given(case=described.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate],
        derandomize=True,
    )  # fmt: skip
    def answered(case: Any) -> None:
        case.call_and_validate(headers={"authorization": f"Bearer {live.key}"}, excluded_checks=[ignored_auth])

    try:
        answered()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # nothing can be wrong with a request that has no parameters
        assert not described.body
        assert operation.path.count("{") == 0


def test_the_document_is_a_good_one(world: AdminWorld) -> None:
    """It names every operation once, refers to nothing that is not there, and is what the interface serves."""
    made = document(OPERATIONS, "1")
    found = [content["operationId"] for path in made["paths"].values() for content in path.values()]
    assert sorted(found) == sorted(each.id for each in OPERATIONS)
    text = json.dumps(made)
    for part in text.split('"$ref": "#/')[1:]:
        functools.reduce(lambda level, name: level[name], part.split('"')[0].split("/"), made)
    served = world.call(None, "GET", "/openapi.json").content
    assert {**served, "info": made["info"]} == made


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.id)
def test_every_field_is_explained(operation: Operation) -> None:
    """Attribute docstrings are the document's descriptions, and none is missing."""
    for kind in (operation.query, operation.body, operation.answer):
        if kind is not None and kind is not Nothing:
            assert set(kind.__struct_fields__) <= set(attribute_texts(kind)), kind.__name__


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.id)
def test_bodies_refuse_unknown_fields(operation: Operation) -> None:
    """Whoever adds a body without saying so is found here."""
    for kind in (operation.body, operation.query):
        assert kind is None or kind.__struct_config__.forbid_unknown_fields


def test_schemas_are_json_schema() -> None:
    """Every schema of the document is one of JSON Schema 2020-12."""
    made = document(OPERATIONS, "1")
    for name, schema in made["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema.get("description") or schema.get("enum"), name


def test_every_status_has_a_title() -> None:
    """No operation answers with a status nobody explained."""
    from tripoint.apps.admin.wire.problems import TITLES

    assert {status for each in OPERATIONS for status in statuses(each)} <= set(TITLES)


def test_the_committed_document_is_the_servers(repo_root: Path) -> None:
    """`docs/reference/admin.openapi.json` differs in the version only."""
    kept = json.loads((repo_root / "docs/reference/admin.openapi.json").read_text(encoding="utf-8"))
    assert {**kept, "info": None} == {**document(OPERATIONS, "1"), "info": None}
