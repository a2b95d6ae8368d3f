"""Start an estate from a template: a small, commented, complete one that passes every check.

init_estate("three-layer", Path("."), write=write_text)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from tripoint.domain.errors import OptionError
from tripoint.domain.findings import did_you_mean, quoted

TEMPLATES = ("three-layer", "cloud-only", "edge-retail", "hybrid")
"""The first is the one to start from when nothing else is said."""


def template_files(template: str) -> dict[str, str]:
    """Relative name to text of every file of a template."""
    if template not in TEMPLATES:
        hint = did_you_mean(template, TEMPLATES) or f"there are {quoted(TEMPLATES)}"
        raise OptionError(f"no template is called `{template}`", hint=hint)
    return _texts(files("tripoint") / "templates" / template, "")


def init_estate(
    template: str, folder: Path, write: Callable[[Path, str], object], *, force: bool = False
) -> tuple[Path, ...]:
    """Write a template's files into `folder` and name them; touches nothing that exists unless forced."""
    return write_new({folder / name: text for name, text in template_files(template).items()}, write, force=force)


def write_new(texts: Mapping[Path, str], write: Callable[[Path, str], object], *, force: bool) -> tuple[Path, ...]:
    """Write files and name them; touches nothing that exists unless forced."""
    present = [path for path in texts if path.exists()]
    if present and not force:
        names = quoted([str(path) for path in present])
        raise OptionError(f"{names} exists already", hint="choose another folder, or `--force` to overwrite it")
    for path, text in texts.items():
        write(path, text)
    return tuple(texts)


def _texts(folder: Traversable, prefix: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in sorted(folder.iterdir(), key=lambda each: each.name):
        name = f"{prefix}{item.name}"
        if item.is_dir():
            found |= _texts(item, f"{name}/")
        else:
            found[name] = item.read_text(encoding="utf-8")
    return found
