"""The admin interface over a small world, on the database a test asks for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.factories.administering import AdminWorld, admin_world


@pytest.fixture(params=["sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AdminWorld]:
    """A fresh interface with its principals; `postgres` among the parameters needs `enable_socket`."""
    if request.param == "sqlite":
        with admin_world(tmp_path / "admin") as made:
            yield made
        return
    monkeypatch.setenv("TRIPOINT_PEPPER_FILE", str(tmp_path / "pepper"))
    monkeypatch.setenv("TRIPOINT_AUDIT_KEY_FILE", str(tmp_path / "audit-key"))
    with admin_world(tmp_path / "admin", store=request.getfixturevalue("postgres_url")) as made:
        yield made
