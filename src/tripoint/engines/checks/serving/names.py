"""Names in `serving`: that they exist, are used once, and fit a header, a log line and a metric's label."""

from __future__ import annotations

from collections.abc import Iterator

from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate
from tripoint.domain.findings import clip, finding
from tripoint.domain.serving import Api, Dialect
from tripoint.domain.source import join_path
from tripoint.engines.checks.references.known import KnownNames
from tripoint.engines.checks.references.names import unknown
from tripoint.engines.checks.serving.addresses import is_reference

MAX_UPSTREAMS = 128
"""Half of what the shared board has room for, so that a reload never takes the place of one still in use."""
_LONGEST = 200
_PLAIN = "use letters, digits and signs without spaces, at most 200 of them, ASCII only"


def check_serving_names(estate: Estate, known: KnownNames) -> Iterator[Finding]:
    """Unknown models, names used twice or that cannot be sent, fallbacks that lead nowhere."""
    serving = estate.serving
    for index, upstream in enumerate(serving.upstreams):
        path = f"serving.upstreams[{index}]"
        for model, name in upstream.models.items():
            below = join_path(f"{path}.models", model)
            if model not in known.models:
                yield unknown("TP1202", below, f"no model is called `{clip(model)}`", model, known.models)
            yield from _sendable(below, name)
        if upstream.dialect is Dialect.ANTHROPIC and any(api is not Api.MESSAGES for api in upstream.apis or ()):
            message = "the Anthropic dialect has `messages` only; requests to the other interfaces are translated to it"
            yield finding("TP1313", f"{path}.apis", message, "remove `apis`")
    if len(serving.upstreams) > MAX_UPSTREAMS:
        message = f"{len(serving.upstreams)} upstreams, expects at most {MAX_UPSTREAMS}"
        yield finding("TP1302", "serving.upstreams", message, "put a load balancer in front of those that are alike")
    for index, fallback in enumerate(serving.fallbacks):
        own = next((workload.model for workload in estate.workloads if workload.id == fallback.workload), None)
        for place, model in enumerate(fallback.models):
            if model == own:
                message = f"`{clip(model)}` is the model of `{clip(fallback.workload)}` itself"
                hint = "name another model; another upstream with the same one is tried before any fallback"
                yield finding("TP1328", f"serving.fallbacks[{index}].models[{place}]", message, hint)
    yield from _headers(estate)
    yield from _secrets_used_twice(estate)


def _headers(estate: Estate) -> Iterator[Finding]:
    serving = estate.serving
    for index, label in enumerate(serving.labels):
        yield from _sendable(f"serving.labels[{index}]", label)
    for index, key in enumerate(serving.keys):
        yield from _sendable(f"serving.keys[{index}].tenant", key.tenant)
    if not serving.upstreams:
        return
    for index, site in enumerate(estate.sites):
        yield from _sendable(f"sites[{index}].id", site.id)
    for index, model in enumerate(estate.models):
        yield from _sendable(f"models[{index}].id", model.id)
    for index, workload in enumerate(estate.workloads):
        yield from _sendable(f"workloads[{index}].id", workload.id)


def _sendable(path: str, name: str) -> Iterator[Finding]:
    if name and name.isascii() and name.isprintable() and " " not in name and len(name) <= _LONGEST:
        return
    message = f"`{clip(name)}` cannot be sent in a header" if name else "a name cannot be empty"
    yield finding("TP1216", path, message, _PLAIN)


def _secrets_used_twice(estate: Estate) -> Iterator[Finding]:
    """Two keys with one secret would be one caller."""
    first: dict[str, int] = {}
    for index, key in enumerate(estate.serving.keys):
        if key.secret in first and is_reference(key.secret):
            message = f"`{clip(key.secret)}` is already the secret of `serving.keys[{first[key.secret]}]`"
            hint = "give each key a secret of its own: a caller is known by it"
            yield finding("TP1215", f"serving.keys[{index}].secret", message, hint)
        first.setdefault(key.secret, index)
