"""OpenTelemetry's names for what we mean, by version of its conventions for generative AI.

The conventions are in development and rename things; so a name is never written elsewhere, only looked up here by
meaning. Versions from the last that kept a name: 1.26.0 said prompt and completion tokens; 1.27.0 renamed those to
input and output and added metrics of servers; 1.37.0 renamed `gen_ai.system`; 1.40.0 and 1.41.0 added cache and
reasoning tokens, streaming and the time to the first chunk. After 1.41.0 they moved to a repository of their own.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Convention(NamedTuple):
    """One version of the conventions."""

    version: str
    """Its version."""
    attributes: dict[str, str]
    """Name of each of our meanings, a field of `UsageRecord` or `Usage`, or one of `DERIVED`."""
    metrics: dict[str, str]
    """Name of each of our histograms, by the name of its meter; empty where the version had no metrics."""


DERIVED: Final = {
    "operation": "operation of the api: `chat`, `text_completion` or `embeddings`",
    "provider": "who is paid for the upstream, or what it speaks",
    "token_type": "`input` or `output`",
}
"""Meanings that are no field of a record, and what they are."""

UNMAPPED: Final = {
    "id": "an id of ours; `gen_ai.response.id` is the model server's",
    "at": "the beginning of the span itself",
    "tenant": "the conventions know no payer",
    "key": "the conventions know no client key",
    "api": "reported as the operation, several interfaces share one",
    "site": "the conventions know no sites; `server.address` would tell an address, which callers need not know",
    "upstream": "likewise",
    "ending": "shown by `error.type` and the status",
    "is_estimated": "the conventions do not tell counted tokens from reported ones",
    "tpot_s": "a metric, not an attribute",
    "total_s": "the length of the span itself, and a metric",
    "own_s": "the conventions know no gateways",
    "reason": "likewise",
    "nano": "the conventions know no money",
    "list_nano": "likewise",
    "marginal_nano": "likewise",
    "tariff": "likewise",
    "prices": "likewise",
    "attempts": "spans of their own",
    "billed": "the conventions know no money",
}
"""Fields of `UsageRecord` and `Usage` that have no name in any version, and why."""

_AT_1_26: Final = {
    "trace_id": "trace_id",
    "workload": "gen_ai.request.model",
    "model": "gen_ai.response.model",
    "status": "http.response.status_code",
    "error": "error.type",
    "tokens_in": "gen_ai.usage.prompt_tokens",
    "tokens_out": "gen_ai.usage.completion_tokens",
    "provider": "gen_ai.system",
}
_AT_1_36: Final = {
    **_AT_1_26,
    "tokens_in": "gen_ai.usage.input_tokens",
    "tokens_out": "gen_ai.usage.output_tokens",
    "operation": "gen_ai.operation.name",
    "token_type": "gen_ai.token.type",
}
_AT_1_41: Final = {
    **_AT_1_36,
    "provider": "gen_ai.provider.name",
    "cached": "gen_ai.usage.cache_read.input_tokens",
    "reasoning": "gen_ai.usage.reasoning.output_tokens",
    "is_stream": "gen_ai.request.stream",
    "ttft_s": "gen_ai.response.time_to_first_chunk",
}
_METRICS: Final = {
    "tripoint_time_to_first_token_seconds": "gen_ai.server.time_to_first_token",
    "tripoint_time_per_output_token_seconds": "gen_ai.server.time_per_output_token",
    "tripoint_request_duration_seconds": "gen_ai.server.request.duration",
    "tripoint_request_input_tokens": "gen_ai.client.token.usage",
    "tripoint_request_output_tokens": "gen_ai.client.token.usage",
}

CONVENTIONS: Final = {
    "1.26.0": Convention("1.26.0", _AT_1_26, {}),
    "1.36.0": Convention("1.36.0", _AT_1_36, _METRICS),
    "1.41.0": Convention("1.41.0", _AT_1_41, _METRICS),
}
"""Every version known here."""
LATEST: Final = "1.41.0"
"""The version used unless another is asked for."""

OPERATIONS: Final = {
    "chat": "chat",
    "messages": "chat",
    "responses": "chat",
    "completions": "text_completion",
    "embeddings": "embeddings",
}
"""Value of the operation by api."""
EDGES: Final = {
    "gen_ai.server.time_to_first_token": (
        0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    ),
    "gen_ai.server.time_per_output_token": (
        0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5,
    ),
    "gen_ai.server.request.duration": (
        0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
    ),
    "gen_ai.client.token.usage": (
        1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0, 16777216.0,
        67108864.0,
    ),
}  # fmt: skip
"""Edges the conventions ask for; ours are the same and more, so that these can be read off ours exactly."""
UNITS: Final = {
    "gen_ai.server.time_to_first_token": "seconds",
    "gen_ai.server.time_per_output_token": "seconds",
    "gen_ai.server.request.duration": "seconds",
    "gen_ai.client.token.usage": "",
}
"""Unit of each metric as Prometheus names carry it."""


def prometheus_name(metric: str) -> str:
    """The name of a metric on a Prometheus page: dots become underscores, the unit comes last."""
    unit = UNITS[metric]
    return metric.replace(".", "_") + (f"_{unit}" if unit else "")
