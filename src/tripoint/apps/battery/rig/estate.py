"""The estate the battery serves: a dense site, a cloud region and one abroad that `chat` must never reach."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MODEL = "llama3.1-8b"
NAME_THERE = "tiny"
KEY_VARIABLE = "TRIPOINT_VERIFY_KEY"
UPSTREAM_KEY_VARIABLE = "TRIPOINT_VERIFY_UPSTREAM_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamAt:
    """An upstream of the rig."""

    id: str
    """Its id, of which the part before the hyphen names its site."""
    url: str
    """Its address."""
    capacity: int = 256
    """Requests it may have at once."""
    usd: float = 1.0
    """USD per million tokens in; twice that out."""
    members: Mapping[str, object] = field(default_factory=dict)
    """Further fields of the upstream."""

    def document(self) -> dict[str, object]:
        """The upstream as an estate declares it."""
        return {
            "id": self.id,
            "site": self.id.split("-")[0],
            "url": self.url,
            "models": {MODEL: NAME_THERE},
            "max_concurrency": self.capacity,
            "usd_in_per_mtok": self.usd,
            "usd_out_per_mtok": 2 * self.usd,
            "is_reproducible": True,
            **self.members,
        }


def estate_text(upstreams: Sequence[UpstreamAt], *, serving: Mapping[str, object] | None = None) -> str:
    """An estate file: `chat` and `batch` stay in the EEA, `open` may go anywhere."""
    load = {"requests_per_s": 1, "input_tokens": 50, "output_tokens": 20}
    base = {"kind": "inference", "model": MODEL, "demand": load}
    document = {
        "apiVersion": "tripoint/v1",
        "name": "battery",
        "sites": [
            {"id": "dense", "kind": "colo", "country": "DE"},
            {"id": "cloud", "kind": "cloud", "provider": "aws", "region": "eu-central-1"},
            {"id": "abroad", "kind": "cloud", "provider": "aws", "region": "us-east-1"},
        ],
        "models": [{"id": MODEL, "precisions": ["fp8"]}],
        "workloads": [
            {"id": "chat", **base, "priority": 1},
            {"id": "batch", **base, "priority": 5},
            {"id": "open", **base},
        ],
        "policies": {"residency": [{"allow": ["EEA"], "workloads": ["chat", "batch"]}]},
        "serving": {
            "keys": [{"id": "verify", "secret": f"env:{KEY_VARIABLE}"}],
            "upstreams": [each.document() for each in upstreams],
            **(serving or {}),
        },
    }
    return json.dumps(document, indent=1)
