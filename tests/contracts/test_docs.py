"""What is written is true: generated pages are current, links lead somewhere, words and paths exist."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import click
import pytest

from tripoint.apps.cli import SUMMARIES, cli
from tripoint.apps.outcomes import EXIT_CODES
from tripoint.apps.settings import DESCRIPTIONS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
SHOWING = [page for page in [*PAGES, *ROOT.glob("examples/**/*.md")] if page.parent.name != "reference"]
SPEAKING = [page for page in sorted((ROOT / "src").rglob("*.py")) if "`tripoint " in page.read_text(encoding="utf-8")]
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")
ANCHOR = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)#([^)\s]+)\)")
CODED_PATH = re.compile(r"`((?:src|tests|docs|tools|examples)/[\w./*-]+|Makefile|pyproject\.toml)`")
# Folders of somebody's machine and hosts of registries, put together here so that this line is not one of them.
PLACES = (
    *(f"/{folder}/" for folder in ("root", "work")),
    r"/home/\w+",
    r"localhost:\d+/simple",
    *(rf"{host}\.(org|com)" for host in ("py" + "pi", "python" + "hosted")),
)
UNWANTED = re.compile("|".join(PLACES), re.IGNORECASE)


def every_command() -> list[tuple[str, click.Command]]:
    """All commands with their full names."""
    found: list[tuple[str, click.Command]] = []
    context = click.Context(cli, info_name="tripoint")
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        found.append((f"tripoint {name}", command))
        if isinstance(command, click.Group):
            found += [(f"tripoint {name} {child}", below) for child, below in command.commands.items()]
    return found


def test_generated_pages_are_up_to_date() -> None:
    """`make docs` would change nothing."""
    script = str(ROOT / "tools" / "generate_docs.py")
    run = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_every_command_and_flag_is_in_the_reference() -> None:
    """The reference names each command, each of its flags, each setting and each error."""
    page = (DOCS / "reference" / "cli.md").read_text(encoding="utf-8")
    for path, command in every_command():
        start = page.index(f"# {path}\n")
        section = page[start : page.find("\n#", start + 1)]
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert all(f"`{name}`" in section for name in parameter.opts), f"{path} {parameter.opts}"
    assert all(f"`{name}`" in page for name in DESCRIPTIONS)
    assert all(f"`{kind.code}`" in page for kind in EXIT_CODES)


def test_every_flag_says_what_it_does() -> None:
    """No option is without help."""
    silent = [
        f"{path} {parameter.opts}"
        for path, command in every_command()
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert silent == []


def test_the_table_of_summaries_equals_the_commands_own() -> None:
    """What `tripoint --help` lists is the first sentence of each command's help."""
    context = click.Context(cli, info_name="tripoint")
    for name, summary in SUMMARIES.items():
        command = cli.get_command(context, name)
        assert command is not None
        assert command.get_short_help_str(limit=200).removesuffix(".") == summary.removesuffix(".")


def test_every_command_takes_json_and_debug() -> None:
    """All commands that answer can answer a machine."""
    for path, command in every_command():
        if not isinstance(command, click.Group):
            flags = {name for parameter in command.params for name in parameter.opts}
            assert {"--json", "--debug"} <= flags, path


def commands_shown(text: str) -> list[list[str]]:
    """Words of every `tripoint` command in backticks or in a block for the shell."""
    blocks = re.sub(r"\\\n\s*", " ", "\n".join(re.findall(r"```(?:sh|console)\n(.*?)```", text, re.DOTALL)))
    spoken = re.findall(r"`(tripoint [^`{}]+)[`{]", re.sub(r'"\s*\n\s*f?"', "", text))
    parts = [part for line in [*blocks.splitlines(), *spoken] for part in re.split(r"[|;]|&&", line.partition(" #")[0])]
    found = [re.search(r"(?:^|[\s/])tripoint ((?!\.\.\.)[a-z].*)", part) for part in parts]
    return [one[1].replace("'", " ").replace('"', " ").split() for one in found if one is not None]


@pytest.mark.parametrize("page", [*SHOWING, *SPEAKING], ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_shown_exists(page: Path) -> None:
    """Pages, hints and messages name commands and flags there are: who follows one gets no error."""
    known = {tuple(path.split()[1:]): command for path, command in every_command()}
    for words in commands_shown(page.read_text(encoding="utf-8")):
        path = tuple(words[:2]) if tuple(words[:2]) in known else tuple(words[:1])
        assert path in known, words
        command, rest = known[path], words[len(path) :]
        assert not (isinstance(command, click.Group) and rest and rest[0].isalpha()), words
        flags = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        assert {word.partition("=")[0] for word in rest if re.match("--[a-z]", word)} <= flags | {"--help"}, words


@pytest.mark.parametrize("page", [page for page in SHOWING if "guides" in page.parts], ids=lambda page: page.name)
def test_a_guide_makes_the_plan_it_uses(page: Path) -> None:
    """Who follows a page finds its plans there: made by an earlier command of it, by the README or by `make plan`."""
    made = {"out/mine", "out/three-layer", "plan.json"}
    for words in commands_shown(page.read_text(encoding="utf-8")):
        named = {flag: value for flag, value in pairwise(words) if flag in ("--plan", "--out")}
        assert named.get("--plan", "out/mine") in made, words
        if words[0] == "plan":
            made.add(named.get("--out", ""))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_inside_the_repository_lead_somewhere(page: Path) -> None:
    """Each relative link names a file or folder that exists."""
    text = page.read_text(encoding="utf-8")
    missing = [target for target in LINK.findall(text) if not (page.parent / target).exists()]
    assert missing == []


def headings(page: Path, level: str) -> list[str]:
    """Headings of a page, as its anchors name them: lower case, hyphens for blanks, no other signs."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    titles = re.findall(rf"^{level} (.*)$", text, re.MULTILINE)
    found = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title) for title in titles]
    return [re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_a_heading_lead_to_one(page: Path) -> None:
    """A link that names a place on a page finds exactly one heading of that name there."""
    for target, anchor in ANCHOR.findall(page.read_text(encoding="utf-8")):
        there = page.parent / target if target else page
        assert there.suffix != ".md" or headings(there, "#+").count(anchor) == 1, f"{target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_has_one_title(page: Path) -> None:
    """One document, one heading of the first rank."""
    assert len(headings(page, "#")) == 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_name_no_machine(page: Path) -> None:
    """No page holds a path of somebody's machine or the address of a registry."""
    assert UNWANTED.findall(page.read_text(encoding="utf-8")) == []


def test_every_path_of_where_exists() -> None:
    """`docs/where.md` sends nobody to a place that is gone."""
    text = (DOCS / "where.md").read_text(encoding="utf-8")
    paths = CODED_PATH.findall(text)
    assert len(paths) >= 20
    assert [path for path in paths if not list(ROOT.glob(path))] == []


def test_every_decision_is_listed() -> None:
    """The decisions' index links each page, and each page says what would change it."""
    index = (DOCS / "decisions" / "README.md").read_text(encoding="utf-8")
    pages = sorted((DOCS / "decisions").glob("0*.md"))
    assert pages
    for page in pages:
        assert f"({page.name})" in index
        assert "**Would change it.**" in page.read_text(encoding="utf-8")


def test_every_page_is_found_from_the_index() -> None:
    """The documentation's first page links each guide and each concept."""
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    pages = [str(page.relative_to(DOCS)) for room in ("guides", "concepts") for page in (DOCS / room).glob("*.md")]
    assert len(pages) >= 20
    assert [page for page in pages if f"({page})" not in index] == []


def test_every_direct_dependency_has_a_decision() -> None:
    """Each library tripoint asks for is named, in backticks, in a decision's title."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["demand"],
        *project["project"]["optional-dependencies"]["admin"],
        *project["project"]["optional-dependencies"]["postgres"],
        *project["build-system"]["requires"],
    ]
    index = (DOCS / "decisions" / "README.md").read_text(encoding="utf-8")
    names = [re.split(r"[<>=!~\[ ;]", line)[0] for line in wanted]
    assert [name for name in names if f"`{name}`" not in index] == []


@pytest.mark.parametrize("word", ["estate", "site", "layer", "offer", "plan", "program", "bound", "gap", "finding"])
def test_the_glossary_defines_the_words_the_product_speaks(word: str) -> None:
    """Each of the main words has an entry of its own."""
    assert re.search(rf"^\| \*\*[^|]*\b{word}\b", (DOCS / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_readme_names_the_two_commands() -> None:
    """A newcomer finds `make plan` and `make test`, and the Makefile has both."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("plan", "test"):
        assert f"make {target} " in readme
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def estates_in_pages() -> list[tuple[str, str]]:
    """Every YAML block of the documentation that claims to be a whole estate."""
    return yaml_in_pages("tripoint/v1")


def yaml_in_pages(version: str) -> list[tuple[str, str]]:
    """Every YAML block of the documentation that starts with this version."""
    blocks = re.compile(rf"```yaml\n(apiVersion: {version}\n.*?)```", re.DOTALL)
    return [
        (f"{page.relative_to(ROOT)}-{number}", block)
        for page in PAGES
        if page.parent.name != "errors"  # those estates are wrong on purpose
        for number, block in enumerate(blocks.findall(page.read_text(encoding="utf-8")))
    ]


@pytest.mark.parametrize(
    "block", [block for _, block in estates_in_pages()], ids=[name for name, _ in estates_in_pages()]
)
def test_estates_shown_in_the_documentation_are_valid(block: str, tmp_path: Path) -> None:
    """A reader who copies an estate from a page gets one that passes every check without a warning."""
    from tripoint import load_estate

    path = tmp_path / "estate.yaml"
    path.write_text(block, encoding="utf-8")
    assert load_estate(path).findings == ()


def test_every_whole_file_shown_in_the_documentation_is_of_a_known_sort() -> None:
    """An estate, a file of outlooks, of scenarios or of jobs; a version nobody reads would be copied in vain."""
    shown = [block for _, block in yaml_in_pages("[^\n]*")]
    assert {block.splitlines()[0].partition(": ")[2] for block in shown} <= {
        "tripoint/v1", "tripoint/outlooks/v1", "tripoint/scenarios/v1", "tripoint/jobs/v1",
    }  # fmt: skip


def test_outlooks_shown_in_the_documentation_are_valid(tmp_path: Path) -> None:
    """They read as they stand."""
    from tripoint.apps.planner import read_outlooks

    shown = yaml_in_pages("tripoint/outlooks/v1")
    assert shown
    for name, block in shown:
        path = tmp_path / "outlooks.yaml"
        path.write_text(block, encoding="utf-8")
        assert read_outlooks(path)[0], name
