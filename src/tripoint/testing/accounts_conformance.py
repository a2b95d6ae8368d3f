"""What every store of accounts must keep: run these on your own by subclassing and giving `open_accounts`."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from tripoint.domain.audit import Act, Checkpoint
from tripoint.domain.errors import ConflictError
from tripoint.domain.tenancy import (
    Account,
    ApiKey,
    Budget,
    OneTimeToken,
    Principal,
    Quota,
    Role,
    Scope,
    Tenant,
    Window,
)
from tripoint.engines.governance.audit.chain import BEGINNING, entry_hash
from tripoint.engines.governance.audit.rows import kind_of, row_digest
from tripoint.engines.governance.audit.verify import Evidence, verify
from tripoint.ports import AccountStore

NOON = 1_795_003_200.5
"""Noon of 2026-11-18, UTC, and half a second."""
ACME = Tenant(id="acme", name="Acme Größe \U0001f680", created_at=NOON)
OTHER = Tenant(id="other", name="Other", created_at=NOON, is_suspended=True)
ANN = Principal(
    id="ann", roles=(Role.ADMIN, Role.AUDITOR), tenant=None, created_at=NOON, subject="https://id.example#1"
)
BOB = Principal(id="other.bob", roles=(Role.DEVELOPER,), tenant="other", created_at=NOON, is_suspended=True)
KEY = ApiKey(
    id="aaaaaaaaaa", digest="d1", name="all of it", tenant="acme", created_at=NOON, workloads=("chat", "größe"),
    only_at=("dense",), expires_at=NOON + 1e6, revoked_at=NOON + 10.25, replaces="zzzzzzzzzz",
)  # fmt: skip
PLAIN = ApiKey(id="bbbbbbbbbb", digest="d2", name="plain", tenant="other", created_at=NOON)
ADMIN = ApiKey(id="cccccccccc", digest="d3", name="ann's", tenant="", created_at=NOON, principal="ann")
QUOTA = Quota(id="acme", scope=Scope(tenant="acme"), requests_per_min=10**12, tokens_per_min=0)
BUDGET = Budget(
    id="acme.key.aaaaaaaaaa.day", scope=Scope(tenant="acme", key="aaaaaaaaaa", workload="chat"), window=Window.DAY,
    limit_nano=10**18, is_enforced=False,
)  # fmt: skip
TOKEN = OneTimeToken(id="dddddddddd", digest="d4", created_at=NOON, expires_at=NOON + 900)
ALL: tuple[Account, ...] = (ACME, OTHER, ANN, BOB, KEY, PLAIN, ADMIN, QUOTA, BUDGET, TOKEN)


def act(subject: str = "x", tenant: str = "", at: float = NOON, **detail: object) -> Act:
    """An act of Ann's."""
    return Act(at=at, actor="ann", action="test.act", subject=subject, tenant=tenant, detail=detail)


class AccountsConformance:
    """The promises of `AccountStore`, as tests; `open_accounts` gives a further hand on one fresh store."""

    def open_accounts(self) -> AccountStore:
        """A hand of its own on the store of this test."""
        raise AssertionError("a conformance test must say how its store is opened")

    def filled(self) -> AccountStore:
        """A store with one or two rows of each kind."""
        store = self.open_accounts()
        with store.write() as book:
            for row in ALL:
                book.change(act(row.id), put=(row,))
        return store

    def test_every_kind_of_row_comes_back_as_it_was(self) -> None:
        """No field is lost or rounded, and another hand sees the same."""
        self.filled()
        with self.open_accounts().read() as book:
            for row in ALL:
                assert book.find(type(row), row.id) == row  # type: ignore[type-var]  # one of them, each is fine
            assert book.find(Tenant, "nobody") is None
            assert book.row_digests() == {f"{kind_of(row)}:{row.id}": row_digest(row) for row in ALL}

    def test_rows_are_listed_by_id_by_tenant_and_in_pages(self) -> None:
        """A tenant's rows are its own only."""
        with self.filled().read() as book:
            assert [row.id for row in book.rows(ApiKey)] == ["aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"]
            assert [row.id for row in book.rows(ApiKey, after="aaaaaaaaaa", limit=1)] == ["bbbbbbbbbb"]
            assert book.rows(ApiKey, tenant="acme") == (KEY,)
            assert book.rows(Tenant, tenant="other") == (OTHER,)
            assert book.rows(Principal, tenant="other") == (BOB,)
            assert book.rows(Quota, tenant="other") == ()
            assert book.rows(OneTimeToken, tenant="acme") == ()
            assert book.rows(Budget, limit=0) == ()

    def test_a_key_is_found_by_its_digest_and_a_principal_by_its_subject(self) -> None:
        """Both are exact."""
        with self.filled().read() as book:
            assert book.key_by_digest("d3") == ADMIN
            assert book.key_by_digest("D3") is None
            assert book.principal_by_subject("https://id.example#1") == ANN
            assert book.principal_by_subject("https://id.example#") is None

    @pytest.mark.parametrize("text", ["a\0b", "\ud800", "'; DROP TABLE tenant; --", "%", "?", "\U0010ffff"])
    def test_no_text_breaks_a_question(self, text: str) -> None:
        """There is nothing of such a name, on either database."""
        with self.filled().read() as book:
            assert book.find(Tenant, text) is None
            assert book.principal_by_subject(text) is None
            assert book.key_by_digest(text) is None
            assert len(book.rows(Tenant, after=text)) <= 2
            assert len(book.rows(Tenant)) == 2

    def test_a_row_is_written_over_and_removed(self) -> None:
        """The same id is the same row."""
        store = self.filled()
        with store.write() as book:
            book.change(act("acme"), put=(replace(QUOTA, tokens_per_min=7),), drop=(BUDGET,))
        with store.read() as book:
            assert book.rows(Quota) == (replace(QUOTA, tokens_per_min=7),)
            assert book.rows(Budget) == ()

    def test_the_gateway_is_told_of_what_it_needs(self) -> None:
        """Keys of principals and keys that ended are not among it; the revision tells whether anything changed."""
        store = self.filled()
        before = store.accounts(NOON)
        assert before.revision == store.revision() == len(ALL)
        assert before.tenants == (ACME, OTHER)
        assert before.keys == (KEY, PLAIN)
        assert (before.quotas, before.budgets) == ((QUOTA,), (BUDGET,))
        assert store.accounts(NOON + 10.25).keys == (PLAIN,)
        with store.write() as book:
            book.change(act())
        assert store.revision() == before.revision + 1

    def test_every_change_is_an_entry_of_a_chain_that_holds(self) -> None:
        """Numbers from 1 without a gap, each bound to the one before; what was written is what is read."""
        store = self.filled()
        with store.read() as book:
            entries = list(book.entries())
            assert [entry.number for entry in entries] == list(range(1, len(ALL) + 1))
            assert entries[0].previous == BEGINNING
            assert all(entry.hash == entry_hash(entry) for entry in entries)
            assert verify(entries, Evidence("o", rows=book.row_digests())).faults == ()

    def test_entries_are_read_in_parts_and_by_tenant(self) -> None:
        """Beyond a number, up to one, so many, of one tenant."""
        store = self.open_accounts()
        with store.write() as book:
            for number in range(1, 2_501):
                book.change(act(str(number), tenant="acme" if number % 500 == 0 else ""))
        with store.read() as book:
            assert len(list(book.entries())) == 2_500
            assert [each.number for each in book.entries(after=2_498)] == [2_499, 2_500]
            assert [each.number for each in book.entries(after=998, until=1_002)] == [999, 1_000, 1_001, 1_002]
            assert [each.number for each in book.entries(tenant="acme", limit=3)] == [500, 1_000, 1_500]
            assert len(list(book.entries(limit=1_200))) == 1_200
            assert list(book.entries(limit=0)) == []

    def test_what_fails_half_way_leaves_nothing(self) -> None:
        """Neither the row nor the entry."""
        store = self.open_accounts()

        def fail_half_way() -> None:
            with store.write() as book:
                book.change(act("acme"), put=(ACME,))
                raise KeyError("half way")

        with pytest.raises(KeyError):
            fail_half_way()
        assert store.revision() == 0
        with store.read() as book:
            assert book.rows(Tenant) == ()

    def test_a_request_is_carried_out_once(self) -> None:
        """The second time, it is told what the first one made, and nothing changes."""
        store = self.filled()
        with store.write() as book:
            book.change(act("third"), put=(replace(ACME, id="third"),), request="r1")
        with pytest.raises(ConflictError, match="`third`"), store.write() as book:
            book.change(act("fourth"), put=(replace(ACME, id="fourth"),), request="r1")
        with store.read() as book:
            assert book.made_by("r1") == "third"
            assert book.made_by("r2") is None
            assert book.find(Tenant, "fourth") is None

    def test_requests_are_remembered_for_a_day(self) -> None:
        """Not for ever: the next request that is named drops those of yesterday, and nothing else goes."""
        store = self.filled()
        for hours, name in enumerate(("r1", "r2", "r3")):
            with store.write() as book:
                book.change(act(name, at=NOON + 3_600 * hours), request=name)
        with store.write() as book:
            book.change(act("r4", at=NOON + 86_400 + 3_601), request="r4")
        with store.read() as book:
            assert [book.made_by(name) for name in ("r1", "r2", "r3", "r4")] == [None, None, "r3", "r4"]
            assert book.find(Tenant, ACME.id) == ACME

    def test_one_secret_is_one_key_and_one_subject_one_principal(self) -> None:
        """A twin is refused with words, not with the database's error."""
        store = self.filled()
        with pytest.raises(ConflictError, match="secret"), store.write() as book:
            book.change(act(), put=(replace(PLAIN, id="eeeeeeeeee"),))
        with pytest.raises(ConflictError, match="principal"), store.write() as book:
            book.change(act(), put=(replace(BOB, subject=ANN.subject),))

    def test_marks_are_set_once(self) -> None:
        """The same again is fine, another is not."""
        store = self.open_accounts()
        with store.write() as book:
            assert book.mark("origin") is None
            book.set_mark("origin", "a")
            book.set_mark("origin", "a")
        with pytest.raises(ConflictError, match="origin"), store.write() as book:
            book.set_mark("origin", "b")

    def test_served_names_gather(self) -> None:
        """Names of several gateways are known together; none is forgotten, none kept twice."""
        store = self.open_accounts()
        assert store.served() == {}
        store.note_served({"workload": ["chat", "rag"], "place": ["edge"]}, NOON)
        store.note_served({"workload": ["rag", "größe"]}, NOON + 1)
        assert store.served() == {"place": ("edge",), "workload": ("chat", "größe", "rag")}
        assert store.revision() == 0

    def test_checkpoints_are_kept_in_order(self) -> None:
        """Each once, oldest first."""
        store = self.open_accounts()
        made = [Checkpoint("o", number, "h", NOON + number, "k", "s") for number in (3, 1, 2)]
        with store.write() as book:
            for each in (*made, made[0]):
                book.keep_checkpoint(each)
        with store.read() as book:
            assert [each.number for each in book.checkpoints()] == [1, 2, 3]

    def test_hands_that_write_at_once_take_turns(self) -> None:
        """Four at a time make one chain without a gap."""
        self.open_accounts()
        faults: list[BaseException] = []

        def write() -> None:
            try:
                mine = self.open_accounts()
                for _ in range(10):
                    with mine.write() as book:
                        book.change(act(str(book.revision())))
                mine.close()
            except BaseException as error:
                faults.append(error)

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert faults == []
        with self.open_accounts().read() as book:
            entries = list(book.entries())
        assert [entry.subject for entry in entries] == [str(number) for number in range(40)]
        assert verify(entries, Evidence("o")).faults == ()
