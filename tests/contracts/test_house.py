"""The shape of the house: floors, sizes, names, and what starting it imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

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
    """Path of a module below the package."""
    return str(module.relative_to(SOURCE))


class Text(NamedTuple):
    """A module as it is read."""

    name: str
    """Its path below the package."""
    text: str
    """All of it."""
    tree: ast.Module
    """What it says."""
    nodes: tuple[ast.AST, ...]
    """Everything in it."""


def too_long(module: Text) -> Iterator[str]:
    """More lines than a module may have."""
    lines = len(module.text.splitlines())
    limit = MAX_VOCABULARY_LINES if module.name.startswith("domain/") else MAX_MODULE_LINES
    if lines > limit:
        yield f"{lines} lines"


def too_much_at_once(module: Text) -> Iterator[str]:
    """Functions and methods of more lines or parameters than they may have."""
    is_command = module.name.startswith("apps/commands/")  # click passes one parameter per flag
    for node in module.nodes:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        counted = [argument for argument in parameters if argument.arg not in ("self", "cls")]
        if lines > MAX_FUNCTION_LINES:
            yield f"`{node.name}` has {lines} lines"
        if len(counted) > MAX_PARAMETERS and not is_command:
            yield f"`{node.name}` has {len(counted)} parameters"


def silent(module: Text) -> Iterator[str]:
    """No docstring."""
    if not ast.get_docstring(module.tree):
        yield "no docstring"


def named_for_everything(module: Text) -> Iterator[str]:
    """Banned words in its path and at the end of its classes' names."""
    yield from BANNED & {word for part in Path(module.name).parts for word in Path(part).stem.lower().split("_")}
    for node in module.nodes:
        if isinstance(node, ast.ClassDef) and node.name.lower().endswith(tuple(BANNED - {"data", "info"})):
            yield f"class `{node.name}`"


def left_for_later(module: Text) -> Iterator[str]:
    """Marks of what will be finished one day."""
    marks = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error")
    yield from (mark for mark in marks if mark in module.text)


RULES = (too_long, too_much_at_once, silent, named_for_everything, left_for_later)


@cache
def faults() -> dict[str, dict[str, list[str]]]:
    """Name of a rule -> module -> how it breaks it; each module is read once for all rules."""
    found: dict[str, dict[str, list[str]]] = {rule.__name__: {} for rule in RULES}
    assert MODULES
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        module = Text(name_of(path), text, tree, tuple(ast.walk(tree)))
        for rule in RULES:
            if wrong := list(rule(module)):
                found[rule.__name__][module.name] = wrong
    return found


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


def test_modules_stay_small() -> None:
    """A module that passes its limit is split."""
    assert faults()[too_long.__name__] == {}


def test_functions_stay_small() -> None:
    """A function that passes 60 lines or 7 parameters is split."""
    assert faults()[too_much_at_once.__name__] == {}


def test_every_module_says_what_it_answers() -> None:
    """Every module has a docstring."""
    assert faults()[silent.__name__] == {}


def test_no_module_or_class_has_a_banned_name() -> None:
    """Names say what a thing is; words that fit everything name nothing."""
    assert faults()[named_for_everything.__name__] == {}


def test_nothing_is_left_for_later() -> None:
    """No module says it will be finished one day."""
    assert faults()[left_for_later.__name__] == {}


def test_each_rule_finds_what_breaks_it() -> None:
    """A module that breaks all of them is told by each, and one that breaks none by none."""
    many = ", ".join(f"p{number}" for number in range(MAX_PARAMETERS + 1))
    lines = [f"def f({many}):", *["    pass"] * MAX_MODULE_LINES, "class TaskManager: pass", "# TO" + "DO"]
    bad, good = "\n".join(lines), '"""Says what it answers."""\n\ndef f(self, a):\n    """Adds."""\n    return a\n'

    def told(name: str, text: str) -> list[int]:
        tree = ast.parse(text)
        return [len(list(rule(Text(name, text, tree, tuple(ast.walk(tree)))))) for rule in RULES]

    assert told("engines/utils/thing.py", bad) == [1, 2, 1, 2, 1]
    assert told("engines/sizing/speed.py", good) == [0, 0, 0, 0, 0]


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


def test_a_server_is_started_for_benchmarks_without_pytest() -> None:
    """Their environment has no tools for tests: `make bench BENCH=ledger` takes the factory of servers from here."""
    script = "import sys; sys.modules.update(pytest=None, hypothesis=None); import tests.factories.postgres"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False)
    assert run.returncode == 0, run.stderr


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
