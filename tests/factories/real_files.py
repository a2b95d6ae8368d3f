"""Files nobody in this project wrote, kept beside the checkout; tests that need one are skipped without it."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"


def real_file(name: str) -> Path:
    """The file of that name below `../shared/data`; skips the test where it is not there."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"the real file `{name}` is not beside the checkout")
    return path
