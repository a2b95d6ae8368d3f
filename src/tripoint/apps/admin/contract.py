"""What an operation of the admin interface declares: its address, its right, what it takes and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec

if TYPE_CHECKING:
    from tripoint.apps.admin.stores import Stores
    from tripoint.domain.tenancy import Actor

MAX_PAGE = 500
"""Most items of one page."""


class NoQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An operation without query parameters."""


class PageQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which page of a list."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE)] = 100
    """Most items of the page."""
    after: Annotated[str, msgspec.Meta(max_length=200)] = ""
    """`next` of the page before."""


class Nothing(msgspec.Struct, frozen=True):
    """An answer without a body."""


class Given(NamedTuple):
    """What a caller says of a change beside its content."""

    tag: str
    """Version to be changed (`If-Match`); empty when none was named."""
    repeat: str
    """Digest of caller and `Idempotency-Key`; empty without one."""


class Call(NamedTuple):
    """One request, checked and decoded; handed to the operation in the thread of its store."""

    actor: Actor
    """Who is calling."""
    stores: Stores
    """What is kept."""
    path: Mapping[str, str]
    """Parts of the address."""
    query: Any
    """Of the operation's `query` type."""
    body: Any
    """Of the operation's `body` type; `None` when it has none."""
    given: Given
    """Version and repetition."""
    now: float
    """Seconds since 1970."""


class Reply(NamedTuple):
    """What an operation answers."""

    content: msgspec.Struct
    """Of the operation's `answer` type."""
    tag: str = ""
    """Version of what is answered, for `ETag`."""
    location: str = ""
    """Address of what was created."""
    is_repeat: bool = False
    """True when a creation of the same `Idempotency-Key` had been done before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One row of the route table."""

    id: str
    """Unique name, for the OpenAPI document."""
    method: str
    """HTTP method, upper case."""
    path: str
    """Address with its parameters in braces."""
    summary: str
    """One sentence."""
    group: str
    """Under which heading it is documented."""
    right: str | None
    """Action the caller's roles must allow; empty when being known is enough, `None` when anybody may ask."""
    run: Callable[[Call], Reply]
    """Does it; runs in the store's thread."""
    answer: type[msgspec.Struct]
    """What is answered on success."""
    status: int = 200
    """Status of success."""
    query: type[msgspec.Struct] = NoQuery
    """Query parameters."""
    body: type[msgspec.Struct] | None = None
    """Content of the request; `None` when it has none."""
    refusals: tuple[int, ...] = ()
    """Statuses of refusal beside those every operation has."""
    is_tagged: bool = False
    """True when the answer carries its version as `ETag`."""
    needs_tag: bool = False
    """True when the version to be changed must be named by `If-Match`."""
    can_repeat: bool = False
    """True for a creation that `Idempotency-Key` keeps from being done twice."""
    is_slow: bool = False
    """True when it is asked of the ledger, which has a thread of its own."""
    examples: Mapping[str, str] = field(default_factory=dict)
    """Values of path parameters shown in the documentation."""
