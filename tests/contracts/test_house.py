"""The shape of the house: floors, sizes, names, and what starting it imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "tripoint"
MODULES = sorted(SOURCE.rglob("*.py"))
MAX_MODULE_LINES = 400
# Words of the design, almost all of them dataclass fields with their docstrings.
MAX_VOCABULARY_LINES = 520
MAX_FUNCTION_LINES = 60
MAX_ROOM = 8
# Words are many by nature; each verb of the product is one module (as an errand and as a command), each technology too.
WIDE_ROOMS = {"domain", "usecases", "adapters", "apps/commands"}
MAX_PARAMETERS = 7
BANNED = {
    "manager", "managers", "helper", "helpers", "util", "utils", "common", "misc", "data", "info",
    "processor", "processors", "handler", "handlers", "service", "services", "context",
}  # fmt: skip
HEAVY = ("numpy", "highspy", "pydantic", "rich", "duckdb", "yaml", "asyncio", "tripoint.engines")


def name_of(module: Path) -> str:
    """Path of a module below the package, as a test id."""
    return str(module.relative_to(SOURCE))


def functions_of(module: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method a module defines."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def loaded_after(code: str) -> set[str]:
    """Names in `sys.modules` of a fresh interpreter after running `code`."""
    tell = "print(*sys.modules, file=sys.stderr)"
    script = f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\n{tell}"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stderr.split())


def test_import_contracts_are_kept() -> None:
    """Floors, rooms, purity, the wiring and the absence of cycles, as declared in pyproject.toml."""
    script = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_modules_stay_small(module: Path) -> None:
    """A module that passes its limit is split."""
    limit = MAX_VOCABULARY_LINES if module.parent.name == "domain" else MAX_MODULE_LINES
    assert len(module.read_text(encoding="utf-8").splitlines()) <= limit


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_functions_stay_small(module: Path) -> None:
    """A function that passes 60 lines or 7 parameters is split."""
    for function in functions_of(module):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        arguments = function.args
        parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        counted = [argument for argument in parameters if argument.arg not in ("self", "cls")]
        is_command = name_of(module).startswith("apps/commands/")  # click passes one parameter per flag
        assert lines <= MAX_FUNCTION_LINES, f"`{function.name}` has {lines} lines"
        assert is_command or len(counted) <= MAX_PARAMETERS, f"`{function.name}` has {len(counted)} parameters"


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_every_module_says_what_it_answers(module: Path) -> None:
    """Every module has a docstring."""
    assert ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_no_module_or_class_has_a_banned_name(module: Path) -> None:
    """Names say what a thing is; words that fit everything name nothing."""
    parts = [word for part in module.relative_to(SOURCE).parts for word in Path(part).stem.lower().split("_")]
    assert not BANNED & set(parts)
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            assert not node.name.lower().endswith(tuple(BANNED - {"data", "info"})), node.name


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_nothing_is_left_for_later(module: Path) -> None:
    """No module says it will be finished one day."""
    text = module.read_text(encoding="utf-8")
    assert [mark for mark in ("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error") if mark in text] == []


def test_rooms_stay_small() -> None:
    """A room that passes eight modules is split, so that `ls` explains it."""
    rooms = {module.parent for module in MODULES}
    sizes = {name_of(room): len([path for path in room.glob("*.py") if path.stem != "__init__"]) for room in rooms}
    crowded = {name: size for name, size in sizes.items() if size > MAX_ROOM and name not in WIDE_ROOMS}
    assert crowded == {}


def test_help_imports_nothing_heavy() -> None:
    """`tripoint --help` answers at once because it loads neither the engines nor a library beyond click."""
    loaded = loaded_after("from tripoint.apps.cli import cli; cli.main(['--help'])")
    assert "tripoint.apps.cli" in loaded
    assert [name for name in HEAVY if name in loaded] == []


def test_importing_tripoint_does_nothing() -> None:
    """`import tripoint` loads no other module of ours and none of other people's."""
    loaded = loaded_after("import tripoint")
    assert {name for name in loaded if name.startswith("tripoint.")} == set()
    assert [name for name in (*HEAVY, "click") if name in loaded] == []


def test_every_public_name_exists_and_says_what_it_is() -> None:
    """Each name of `tripoint.__all__` can be had, and carries a docstring."""
    import tripoint

    assert sorted(tripoint.__all__) == sorted(set(tripoint.__all__))
    for name in tripoint.__all__:
        assert getattr(tripoint, name) is not None
        if name != "__version__":
            assert getattr(tripoint, name).__doc__


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    """A misspelled name fails as Python expects."""
    import tripoint

    with pytest.raises(AttributeError, match="no_such_name"):
        _ = tripoint.no_such_name
