"""The estate of one run: the template, with the ports found, a plan of its own, and tenants in a store of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tripoint.apps import wiring
from tripoint.apps.hybrid.callers.traffic import Stream
from tripoint.apps.hybrid.tenants import open_accounts
from tripoint.domain.errors import InternalError

if TYPE_CHECKING:
    from tripoint.domain.source import LoadedEstate

TEMPLATE: Final = "hybrid"
_EUROPEAN: Final = "customer-eu"
_CLOUD: Final = frozenset({"cloud"})
_DENSE: Final = frozenset({"dense"})
STREAMS: Final = (
    Stream(workload="assistant", share=0.06, forbidden=frozenset(), key="web", is_stream=True, tokens_out=64),
    Stream(workload="assistant", share=0.04, forbidden=frozenset(), key="web", tokens_out=32),
    # Their key is good for two sites, their budget for a minute: then these are refused, and are meant to be.
    Stream(workload="assistant", share=0.16, forbidden=_DENSE, key="trial", tokens_out=120, is_limited=True),
    # The same workload with personal data in one request of it: the label alone keeps it out of the cloud.
    Stream(workload="assistant", share=0.08, forbidden=_CLOUD, key="web", is_stream=True, label=_EUROPEAN),
    Stream(workload="assistant", share=0.06, forbidden=frozenset(), key="web", api="responses"),
    Stream(workload="assistant", share=0.04, forbidden=frozenset(), key="web", api="messages"),
    Stream(workload="assistant", share=0.04, forbidden=frozenset(), key="web", api="completions", is_stream=True),
    Stream(workload="claims-eu", share=0.28, forbidden=_CLOUD, key="claims-desk", is_stream=True, tokens_out=80),
    Stream(workload="claims-eu", share=0.12, forbidden=_CLOUD, key="claims-desk", tokens_out=40),
    Stream(workload="search", share=0.12, forbidden=_CLOUD, key="indexer", api="embeddings"),
)
"""The mix of a run: every interface, streams and whole answers, both residencies. What must stay out of the cloud is
said here a second time, so that callers judge the gateway by their own word. Streams are of the interfaces a stream
can be resumed in; those of the others would end with a told error when their site dies in the middle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFolder:
    """An estate and its plan, ready to be served."""

    folder: Path
    """Holds everything of the run."""
    estate: Path
    """Folder of the estate file."""
    plan: Path
    """Folder of `plan.json`."""
    state: Path
    """Folder the gateway keeps its state in."""
    store: str
    """URL of its store of accounts and ledger."""
    secrets: dict[str, str]
    """Key of each tenant."""


def template_estate() -> LoadedEstate:
    """The template as shipped, checked: says which upstreams there are."""
    from importlib.resources import as_file, files

    with as_file(files("tripoint") / "templates" / TEMPLATE) as folder:
        return wiring.load_estate(folder)


def write_run(folder: Path, ports: dict[str, int]) -> RunFolder:
    """Writes the estate with the upstreams' `ports`, plans it, makes tenants, and names the places.

    Raises what planning raises, and `StoreError`.
    """
    from tripoint.usecases.init import template_files
    from tripoint.usecases.plan import PlanOptions

    text = with_ports(template_files(TEMPLATE)["estate.yaml"], ports)
    wiring.write_text(folder / "estate" / "estate.yaml", text)
    plan = wiring.plan(folder / "estate", PlanOptions(seconds=20.0, gap=0.01, baselines=False))
    wiring.write_plan(plan, folder / "plan")
    state = folder / "state"
    state.mkdir(mode=0o700, exist_ok=True)
    store = f"sqlite:///{state / 'store.db'}"
    keys = open_accounts(store, wiring.load_estate(folder / "estate").estate, folder / "keys")
    return RunFolder(
        folder=folder, estate=folder / "estate", plan=folder / "plan", state=state, store=store, secrets=keys
    )


def with_ports(text: str, ports: dict[str, int]) -> str:
    """The estate's text with each upstream's address on the port it was found to have."""
    for upstream, port in ports.items():
        pattern = rf'(\{{id: {re.escape(upstream)},[^}}]*?url: "http://127\.0\.0\.1:)\d+'
        text, count = re.subn(pattern, rf"\g<1>{port}", text)
        if count != 1:
            raise InternalError(f"the template names the address of `{upstream}` {count} times")
    return text
