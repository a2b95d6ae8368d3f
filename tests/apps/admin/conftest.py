"""The admin interface over a small world."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.factories.administering import AdminWorld, admin_world


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdminWorld]:
    """A fresh interface with its principals."""
    with admin_world(tmp_path_factory.mktemp("admin")) as made:
        yield made
