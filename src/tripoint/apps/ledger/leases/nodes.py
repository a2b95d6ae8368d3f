"""This gateway among others on its store: which part of every quota its workers apply."""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from tripoint.engines.governance.budget.shares import EVERYTHING, Node, Part, part_for

NODE_FILE: Final = "node"
"""Holds the id of the gateway of a run folder."""
_BEAT_S: Final = 2.0
"""How often a node says that it lives, s."""
DEAD_S: Final = 15.0
"""A node that has said nothing for so long applies nothing any more, s: the others take its part."""
_JOIN_S: Final = 3.0
"""Longest time that the first accounts wait until other nodes have made room, s."""


class NodeStore(Protocol):
    """Where gateways on one store see each other."""

    def nodes(self) -> Sequence[Node]:
        """Every gateway that applies a part of the quotas."""
        ...

    def take_part(self, id: str, dead: Collection[str]) -> Part:
        """What a node may apply now, the dead being forgotten."""
        ...

    def leave(self, id: str) -> None:
        """It applies none any more."""
        ...


class NodeParts:
    """Looks around for other gateways; nothing is written as long as there are no quotas."""

    def __init__(self, id: str) -> None:
        self._id = id
        self._part: Part | None = None
        self._heard: dict[str, tuple[int, float]] = {}
        """Beat of each other node, and when it was seen to change."""
        self._beat_at = 0.0
        self._joined_at: float | None = None

    def look(self, store: NodeStore, now: float, *, has_quotas: bool) -> Part | None:
        """The part to apply; `None` while a newcomer waits for room. `now` is of a clock that only goes forward, s."""
        if not has_quotas:
            self.leave(store)
            return EVERYTHING
        nodes = store.nodes()
        dead = self._dead(nodes, now)
        living = [each for each in nodes if each.id not in dead]
        is_known = any(each.id == self._id for each in living)
        is_due = now - self._beat_at >= _BEAT_S
        if not is_known or is_due or dead or part_for(self._id, living) != self._part:
            self._part, self._beat_at = store.take_part(self._id, dead), now
        if self._joined_at is None:
            self._joined_at = now
        is_waiting = self._part is not None and not self._part.size and now - self._joined_at < _JOIN_S
        return None if is_waiting else self._part

    def leave(self, store: NodeStore) -> None:
        """Lets the others have its part."""
        if self._part is not None:
            store.leave(self._id)
            self._part = None

    def _dead(self, nodes: Sequence[Node], now: float) -> set[str]:
        others = [each for each in nodes if each.id != self._id]
        for each in others:
            if self._heard.get(each.id, (-1, 0.0))[0] != each.beat:
                self._heard[each.id] = each.beat, now
        self._heard = {each.id: self._heard[each.id] for each in others}
        return {id for id, (_, at) in self._heard.items() if now - at >= DEAD_S}


def node_of(run_dir: Path) -> str:
    """Id of the gateway of a run folder, made with its first start; raises `OSError`."""
    path = run_dir / NODE_FILE
    with suppress(FileNotFoundError):
        kept = path.read_text(encoding="ascii").strip()
        if kept:
            return kept
    run_dir.mkdir(parents=True, exist_ok=True)
    made = secrets.token_hex(8)
    part = path.with_name(f".{NODE_FILE}.part")
    part.write_text(made, encoding="ascii")
    os.replace(part, path)
    return made
