"""What places and workloads lean on: shared things that fail together, and how one would leave them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DependencyKind(StrEnum):
    """What sort of thing is leaned on; failure rates are looked up by it."""

    FEED = "feed"
    """A power feed of a site."""
    DOMAIN = "domain"
    """A failure domain sites share: grid, metro, building."""
    CONDUIT = "conduit"
    """A duct or cable links share."""
    DNS = "dns"
    IDENTITY = "identity"
    KEYS = "keys"
    """Key management: without it nothing is decrypted."""
    REGISTRY = "registry"
    """Where images and weights come from."""
    LICENCE = "licence"
    """A licence server or subscription that must answer."""
    CERTIFICATE = "certificate"
    APPROVER = "approver"
    """A person who must say yes."""
    CONTROL = "control"
    """A control plane: scheduler, gateway configuration, ledger."""
    RUNNER = "runner"
    """What builds and deploys."""
    PROVIDER = "provider"
    REGION = "region"
    SITE = "site"
    LINK = "link"
    API = "api"
    """A token-priced model API."""
    NODE = "node"
    """A server of a pool, named `site/node_type`."""
    DATASET = "dataset"
    OTHER = "other"

    @property
    def is_derived(self) -> bool:
        """True for kinds tripoint knows from the rest of the estate; declared ones of these refine what is known."""
        return self in (
            DependencyKind.DOMAIN,
            DependencyKind.CONDUIT,
            DependencyKind.PROVIDER,
            DependencyKind.REGION,
            DependencyKind.SITE,
            DependencyKind.LINK,
            DependencyKind.API,
            DependencyKind.NODE,
            DependencyKind.DATASET,
        )

    @property
    def is_people_or_tooling(self) -> bool:
        """True for what every estate leans on though few write it down."""
        return self in (
            DependencyKind.DNS,
            DependencyKind.IDENTITY,
            DependencyKind.KEYS,
            DependencyKind.REGISTRY,
            DependencyKind.CERTIFICATE,
            DependencyKind.APPROVER,
        )


class Surface(StrEnum):
    """What of a dependency is not portable."""

    API = "api"
    """An interface only it offers."""
    FORMAT = "format"
    """Data in a format only it reads."""
    FINE_TUNE = "fine_tune"
    """Weights trained there that cannot be taken away."""
    TOOLING = "tooling"
    """Pipelines and scripts written against it."""
    HARDWARE = "hardware"
    """Kernels or builds for accelerators only it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Substitute:
    """Something that could take a dependency's place."""

    name: str
    """What."""
    tested: str | None = None
    """Month it last did so in a test, `YYYY-MM`; never when not declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """What it takes to leave a dependency, beyond moving data, which is computed."""

    rebuild_days: float | None = None
    """Days of work until a substitute serves; catalogue figure for the surface when not declared."""
    revalidate_days: float | None = None
    """Days of tests and approvals after that; catalogue figure when not declared."""
    dual_run_months: float | None = None
    """Months both are paid; catalogue figure when not declared."""
    bandwidth_gbps: float | None = None
    """Rate at which data leaves, Gbit/s; from its links, else the catalogue's figure, when not declared."""
    one_off_usd: float = 0.0
    """Penalties and projects the exit costs, USD."""
    substitutes: tuple[Substitute, ...] = ()
    """What could take its place."""
    proprietary: tuple[Surface, ...] = ()
    """What of it is not portable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """Something shared that can fail, or that one may have to leave.

    Names in `needs`, `needs_any` and `needed_by` are ids of dependencies, sites, links or datasets, failure domains,
    conduits, providers (`aws`) or regions (`aws:eu-central-1`); in `needed_by` also workloads, layers, kinds of site,
    and `all` for every workload.
    """

    id: str
    """Unique name; for a kind the estate already knows (provider, region, site, ...), the name of what is refined."""
    kind: DependencyKind = DependencyKind.OTHER
    """What sort of thing."""
    needs: tuple[str, ...] = ()
    """It works only while all of these do."""
    needs_any: tuple[str, ...] = ()
    """It works only while at least `at_least` of these do."""
    at_least: int = 1
    """How many of `needs_any`."""
    needed_by: tuple[str, ...] = ()
    """What works only while it does."""
    fails_per_year: float | None = None
    """Failures of its own per year; catalogue figure of its kind when not declared."""
    hours_to_repair: float | None = None
    """Mean length of one, hours; catalogue figure of its kind when not declared."""
    grace_hours: float = 0.0
    """How long what needs it goes on without it (cached keys, names, images), hours."""
    leaving: Leaving | None = None
    """What it takes to leave it."""


ALL = "all"
"""In `needed_by`: every workload."""
