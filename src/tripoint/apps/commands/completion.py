"""`tripoint completion`: the script a shell sources to complete commands, flags and paths."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from tripoint.apps.answer import Answer, answering

_WHERE = {
    "bash": '~/.bashrc: eval "$(tripoint completion bash)"',
    "zsh": '~/.zshrc: eval "$(tripoint completion zsh)"',
    "fish": "~/.config/fish/completions/tripoint.fish: tripoint completion fish | source",
}


@click.command()
@click.argument("shell", metavar="SHELL", type=click.Choice(sorted(_WHERE)))
@answering
def command(shell: str) -> Answer:
    """Print the shell's completion script.

    Put this line in your shell's start-up file: for bash and zsh, eval "$(tripoint completion bash)";
    for fish, tripoint completion fish | source.

    For example: tripoint completion bash
    """
    completion = get_completion_class(shell)
    assert completion is not None  # click.Choice above admits only shells click knows
    script = completion(click.Group(), {}, "tripoint", "_TRIPOINT_COMPLETE").source()
    return Answer(text=script, payload={"shell": shell, "script": script, "install": _WHERE[shell]})
