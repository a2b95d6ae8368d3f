"""What tests of the live shell share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tripoint.testing.model_server import ModelServer, serving


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A model server that takes every name."""
    with serving(ModelServer(models=())) as running:
        yield running
