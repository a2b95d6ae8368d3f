"""Where a worker notes what it has reserved, so that it survives it: by that nothing spent is ever forgotten."""

from __future__ import annotations


class Sheet:
    """Keeps nothing: for the simulator, and where there is no ledger. Others derive from it.

    A class rather than a protocol: compiled code finds its methods without looking for their names.
    """

    def payer(self, tenant: str, key: str, workload: str) -> int:
        """Number of who pays."""
        del tenant, key, workload
        return 0

    def open(self, request_id: str, at: float, nano: int, payer: int) -> int:
        """Notes a reservation of a request that began at `at`, seconds since 1970; its row, -1 when all are taken."""
        del request_id, at, nano, payer
        return 0

    def amend(self, row: int, nano: int) -> None:
        """Notes that it is another sum now."""

    def settle(self, row: int, nano: int) -> None:
        """Notes what it came to; the row stays until the request's record is safe."""


class NoRoom(Sheet):
    """Stands for a sheet the disk had no room for: nothing can be reserved."""

    def open(self, request_id: str, at: float, nano: int, payer: int) -> int:
        """See `Sheet`."""
        del request_id, at, nano, payer
        return -1
