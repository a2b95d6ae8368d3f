"""What a reload tells of keys: those of the estate, and those of the store beside them."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from tests.factories.serving import candidate, route, table, target

from tripoint.apps import stores
from tripoint.apps.gateway.fleet.supervisor import _keys
from tripoint.engines.governance.access.keys import ID_BYTES, SECRET_BYTES
from tripoint.engines.governance.access.wanted import Wanted
from tripoint.usecases.accounts import keys, tenants
from tripoint.usecases.accounts.login import local_actor
from tripoint.usecases.accounts.turn import Turn

TABLE = table([target("a", slot=0)], [route(candidate(0, share=1.0))])


def test_keys_of_the_store_are_counted_beside_those_of_the_estate(tmp_path: Path) -> None:
    """An estate without keys is no gateway without keys; a revoked one opens nothing, and does not count."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    store = stores.open_accounts(url)
    pepper, turn = stores.open_pepper(store, url), Turn(local_actor("tests"), time.time())
    tenants.create_tenant(store, turn, "acme")
    for number in range(4):
        secrets = keys.Secrets(pepper, bytes([number]) * (ID_BYTES + SECRET_BYTES))
        made, *_ = keys.create_key(store, turn, Wanted(name="k", tenant="acme"), secrets)
    keys.revoke_key(store, turn, made.id)
    store.close()
    assert _keys(replace(TABLE, keys=()), url) == "0 keys of the estate and 3 of the store"


def test_a_store_that_cannot_be_read_is_told_as_such(tmp_path: Path) -> None:
    """The gateway goes by what it knows; without a store only the estate is told."""
    (tmp_path / "store.db").write_text("this is no database, however long it is read", encoding="utf-8")
    none = replace(TABLE, keys=())
    assert _keys(none, f"sqlite:///{tmp_path / 'store.db'}") == "0 keys of the estate and those last known of the store"
    assert _keys(none, "") == "0 keys of the estate"
