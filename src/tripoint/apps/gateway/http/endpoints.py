"""Every path the gateway answers, with who may ask; what is not in this table does not exist.

Inference needs a client key wherever the estate declares any; the pages for operators say how the gateway is and
carry no text of anybody's, and are told nothing about callers.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from tripoint.domain.serving import Api


class Permission(StrEnum):
    """Who may ask."""

    CLIENT = "client"
    """Who holds a client key; everybody on this machine where the estate declares none."""
    OPERATOR = "operator"
    """Everybody who can connect: the page shows state, never content."""


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
    permission: Permission
    """Who may."""
    api: Api | None = None
    """Inference interface."""
    page: Page | None = None
    """Or page of our own."""


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(b"POST", b"/v1/chat/completions", Permission.CLIENT, api=Api.CHAT),
    Endpoint(b"POST", b"/v1/completions", Permission.CLIENT, api=Api.COMPLETIONS),
    Endpoint(b"POST", b"/v1/embeddings", Permission.CLIENT, api=Api.EMBEDDINGS),
    Endpoint(b"POST", b"/v1/responses", Permission.CLIENT, api=Api.RESPONSES),
    Endpoint(b"POST", b"/v1/messages", Permission.CLIENT, api=Api.MESSAGES),
    Endpoint(b"GET", b"/v1/models", Permission.CLIENT, page=Page.MODELS),
    Endpoint(b"GET", b"/healthz", Permission.OPERATOR, page=Page.HEALTH),
    Endpoint(b"GET", b"/readyz", Permission.OPERATOR, page=Page.READY),
    Endpoint(b"GET", b"/metrics", Permission.OPERATOR, page=Page.METRICS),
)
"""The whole surface; `tests/apps/gateway` holds it equal to what a running worker answers."""

BY_PATH: Mapping[bytes, Endpoint] = MappingProxyType({each.path: each for each in ENDPOINTS})
"""Endpoints by path; each path has one method."""
