"""Every path the gateway answers; what is not in this table does not exist.

Inference and the list of models need a client key wherever the estate declares any; metrics are for this machine and
for holders of a key. Whether the gateway lives and is ready is told to whoever can connect.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from tripoint.domain.serving import Api


class Page(StrEnum):
    """What is answered by the gateway itself."""

    MODELS = "models"
    HEALTH = "health"
    READY = "ready"
    METRICS = "metrics"


class Endpoint(NamedTuple):
    """One way to ask."""

    method: bytes
    """The one method allowed; HEAD is GET without a body."""
    path: bytes
    """Exact path, without query."""
    api: Api | None = None
    """Inference interface."""
    page: Page | None = None
    """Or page of our own."""


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(b"POST", b"/v1/chat/completions", api=Api.CHAT),
    Endpoint(b"POST", b"/v1/completions", api=Api.COMPLETIONS),
    Endpoint(b"POST", b"/v1/embeddings", api=Api.EMBEDDINGS),
    Endpoint(b"POST", b"/v1/responses", api=Api.RESPONSES),
    Endpoint(b"POST", b"/v1/messages", api=Api.MESSAGES),
    Endpoint(b"GET", b"/v1/models", page=Page.MODELS),
    Endpoint(b"GET", b"/healthz", page=Page.HEALTH),
    Endpoint(b"GET", b"/readyz", page=Page.READY),
    Endpoint(b"GET", b"/metrics", page=Page.METRICS),
)
"""The whole surface; `tests/apps/gateway` holds it equal to what a running worker answers."""

BY_PATH: Mapping[bytes, Endpoint] = MappingProxyType({each.path: each for each in ENDPOINTS})
"""Endpoints by path; each path has one method."""
