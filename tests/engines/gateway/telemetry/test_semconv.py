"""OpenTelemetry's names: every field of a record has one, or a reason why not."""

from __future__ import annotations

import pytest

from tripoint.domain.record import Usage, UsageRecord
from tripoint.domain.serving import Api
from tripoint.engines.gateway.telemetry.counts.rollup import EDGES as OUR_EDGES
from tripoint.engines.gateway.telemetry.meters import METERS
from tripoint.engines.gateway.telemetry.semconv import (
    CONVENTIONS,
    DERIVED,
    EDGES,
    LATEST,
    OPERATIONS,
    UNITS,
    UNMAPPED,
    prometheus_name,
)

FIELDS = {*UsageRecord._fields, *Usage._fields} - {"usage"}


def test_every_field_is_mapped_or_declared_unmapped() -> None:
    """In the latest version each field of a record has a name, or a reason; none has both."""
    mapped = set(CONVENTIONS[LATEST].attributes) - DERIVED.keys()
    assert mapped | UNMAPPED.keys() == FIELDS
    assert not mapped & UNMAPPED.keys()
    assert all(UNMAPPED.values())
    assert all(DERIVED.values())


@pytest.mark.parametrize("version", CONVENTIONS)
def test_a_version_names_only_what_there_is(version: str) -> None:
    """Meanings exist, metrics exist, no two meanings share a name."""
    convention = CONVENTIONS[version]
    assert convention.version == version
    assert set(convention.attributes) <= FIELDS | DERIVED.keys()
    assert len(set(convention.attributes.values())) == len(convention.attributes)
    assert set(convention.metrics) <= {meter.name for meter in METERS}
    assert set(convention.metrics.values()) <= EDGES.keys() == UNITS.keys()


def test_names_that_changed_are_told_by_version() -> None:
    """Prompt tokens became input tokens, the system became the provider, cache and reasoning came later."""
    first, second, third = (CONVENTIONS[version].attributes for version in ("1.26.0", "1.36.0", "1.41.0"))
    assert (first["tokens_in"], second["tokens_in"]) == ("gen_ai.usage.prompt_tokens", "gen_ai.usage.input_tokens")
    assert (second["provider"], third["provider"]) == ("gen_ai.system", "gen_ai.provider.name")
    assert "cached" not in second
    assert third["cached"] == "gen_ai.usage.cache_read.input_tokens"
    assert third["reasoning"] == "gen_ai.usage.reasoning.output_tokens"


def test_their_edges_are_among_ours() -> None:
    """So a histogram of theirs can be read off one of ours without guessing."""
    by_name = {meter.name: edges for meter, edges in OUR_EDGES.items()}
    for convention in CONVENTIONS.values():
        for mine, theirs in convention.metrics.items():
            assert set(EDGES[theirs]) <= set(by_name[mine])


def test_every_api_is_an_operation() -> None:
    """No interface is without one."""
    assert OPERATIONS.keys() == {api.value for api in Api}


def test_prometheus_names_end_in_the_unit() -> None:
    """Dots become underscores."""
    assert prometheus_name("gen_ai.server.time_to_first_token") == "gen_ai_server_time_to_first_token_seconds"
    assert prometheus_name("gen_ai.client.token.usage") == "gen_ai_client_token_usage"
