"""The gateways on a store, and which part of every quota each applies."""

from __future__ import annotations

from collections.abc import Collection

from tripoint.adapters.sql.database import Session
from tripoint.engines.governance.budget.shares import Node, Part, part_for

_PUT = (
    "INSERT INTO quota_node VALUES (?, 0, ?, ?)"
    " ON CONFLICT (node) DO UPDATE SET beat = quota_node.beat + 1, low = excluded.low, high = excluded.high"
)


def nodes_of(session: Session) -> list[Node]:
    """Every gateway that has taken a part and not left."""
    rows = session.execute("SELECT node, beat, low, high FROM quota_node ORDER BY node")
    return [Node(node, int(beat), Part(int(low), int(high))) for node, beat, low, high in rows]


def take_part(session: Session, id: str, dead: Collection[str]) -> Part:
    """Forgets the dead, takes what a node may apply now and says that it lives; within a transaction that writes."""
    session.lock("quota nodes")
    session.many("DELETE FROM quota_node WHERE node = ?", [(each,) for each in sorted(dead)])
    part = part_for(id, nodes_of(session))
    session.change(_PUT, (id, *part))
    return part


def leave(session: Session, id: str) -> None:
    """A node ends, or has no quotas to apply."""
    session.lock("quota nodes")
    session.change("DELETE FROM quota_node WHERE node = ?", (id,))
