"""Which node type of the catalogue does a row of a bill mean?

A bill names it in the properties of its price, in its SKU or in the description. Only a whole name counts, written as
the provider writes it but for case and punctuation; a row that names none, or several, is not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from tripoint.domain.bill import BillRow
from tripoint.domain.catalog import Catalog
from tripoint.domain.hardware import NodeType

_SPELLINGS: Final[Mapping[str, str]] = {
    "amazon": "aws",
    "amazon web services": "aws",
    "amazon web services inc": "aws",
    "google": "gcp",
    "google cloud": "gcp",
    "google cloud platform": "gcp",
    "lambda labs": "lambda",
    "microsoft": "azure",
    "microsoft azure": "azure",
    "nebius ai": "nebius",
    "oci": "oracle",
    "oracle cloud": "oracle",
    "oracle cloud infrastructure": "oracle",
}
"""What providers call themselves in bills, and what the catalogue calls them."""
_NOT_PLAIN: Final = re.compile(r"[^a-z0-9]+")
_TELLING: Final = ("instance", "machine", "sku", "node")
"""Words in the name of a property that say it holds the type of a node."""
_LICENSED: Final = re.compile(r"\b(windows|rhel|red hat|suse|sql server|sql std|sql ent)\b")


class SkuNames:
    """Finds node types by the names bills use."""

    def __init__(self, catalog: Catalog) -> None:
        self._nodes: dict[str, dict[str, NodeType]] = {}
        for node in catalog.node_types:
            if node.provider:
                self._nodes.setdefault(node.provider.lower(), {})[_key(node.id)] = node
        self.providers = frozenset(self._nodes)
        """Providers whose node types the catalogue knows."""
        self._patterns = {provider: _pattern(nodes) for provider, nodes in self._nodes.items()}
        priced = {(row.provider.lower(), row.region.lower()) for row in catalog.compute_prices}
        self._regions = priced | {(row.provider.lower(), row.region.lower()) for row in catalog.regions}
        self._countries = frozenset(row.country for row in catalog.regions)
        self._seen: dict[tuple[str, ...], NodeType | str] = {}

    def provider(self, name: str) -> str:
        """The catalogue's name of a provider; lower case, as it stands, where it knows none."""
        plain = _plain(name)
        return _SPELLINGS.get(plain, name.strip().lower())

    def is_region(self, provider: str, region: str) -> bool:
        """Whether the catalogue knows the region."""
        return (provider, region.lower()) in self._regions

    def is_country(self, name: str) -> bool:
        """Whether a name is the code of a country some region of the catalogue is in."""
        return name in self._countries

    def node_type(self, provider: str, row: BillRow) -> NodeType | str:
        """The node type a row means, or why it means none."""
        told = tuple(value for name, value in (*row.details.items(), *row.custom.items()) if _is_telling(name))
        key = (provider, row.sku, row.sku_price, row.meter, row.description, *told)
        if key not in self._seen:
            self._seen[key] = self._find(provider, told, key[1:])
        return self._seen[key]

    def _find(self, provider: str, told: tuple[str, ...], texts: tuple[str, ...]) -> NodeType | str:
        nodes, pattern = self._nodes.get(provider, {}), self._patterns.get(provider)
        if pattern is None:
            return f"the catalogue of tripoint knows no node type of the provider `{provider}`"
        for each in (told, texts):
            names = {name for text in each for name in pattern.findall(_plain(text))}
            if len(names) > 1:
                return "it names several node types"
            if names:
                licensed = _LICENSED.search(" ".join(texts).lower())
                return f"its price holds a licence: {licensed[1]}" if licensed else nodes[names.pop()]
        return "it names no node type the catalogue of tripoint knows"


def _is_telling(name: str) -> bool:
    return any(word in name.lower() for word in _TELLING)


def _plain(text: str) -> str:
    return _NOT_PLAIN.sub(" ", text.lower()).strip()


def _key(name: str) -> str:
    return _plain(name).removeprefix("standard ")


def _pattern(nodes: Mapping[str, NodeType]) -> re.Pattern[str]:
    longest_first = sorted(nodes, key=lambda name: (-len(name), name))
    return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(map(re.escape, longest_first))})(?![a-z0-9])")
