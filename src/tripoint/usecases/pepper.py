"""The pepper belongs to a store: the wrong one would make every key useless without saying so."""

from __future__ import annotations

from collections.abc import Callable

from tripoint.domain.errors import FileError
from tripoint.engines.governance.access.keys import is_same_digest, pepper_check
from tripoint.ports import AccountStore

_MARK = "pepper"


def settle_pepper(store: AccountStore, place: str, read: Callable[[], bytes], make: Callable[[], bytes]) -> bytes:
    """The store's pepper, read from its `place`; made there the first time, and bound to the store.

    Raises `FileError` when the one at that place is not the store's, or when it is gone.
    """
    with store.read() as book:
        known = book.mark(_MARK)
    if known is None:
        pepper = make()
        with store.write() as book:
            known = book.mark(_MARK)
            if known is None:
                known = pepper_check(pepper)
                book.set_mark(_MARK, known)
    else:
        pepper = read()
    if not is_same_digest(known, pepper_check(pepper)):
        raise FileError(
            f"the pepper in `{place}` is not the one this store's keys were made with",
            hint="bring the file over from where the store was made, or name it in `TRIPOINT_PEPPER_FILE`",
        )
    return pepper
