"""Jobs that hand data on: what each needs, what it reads, whom it waits for; and where they are best run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tripoint.domain.purchase import PurchaseOption
from tripoint.domain.units import AcceleratorId

JOBS_VERSION = "tripoint/jobs/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One way to run a job: so many accelerators of a kind, for so long."""

    accelerator: AcceleratorId
    """Catalogue id of the accelerator, e.g. `h100-sxm`."""
    gpus: int = 1
    """Accelerators it takes at once, in one site."""
    hours: float | None = None
    """Hours it runs on them; of training and fine-tuning from the first entry with hours when not declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRead:
    """Data a job reads."""

    dataset: str
    """A dataset of this file, or of the estate."""
    gb: float | None = None
    """Volume read once, GB; the whole dataset when not declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What a job takes over from another."""

    job: str
    """The job it waits for."""
    gb: float = 0.0
    """Volume handed on, GB."""
    classification: str | None = None
    """Label of what is handed on; every label of the job that made it when not declared."""
    regimes: tuple[str, ...] | None = None
    """Compliance regimes of what is handed on; those of the job that made it when not declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A place that gets something of a job."""

    to: str
    """A site of the estate, or a `provider:region`."""
    gb: float
    """Volume, GB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something that runs once, on whole instances, at one place."""

    id: str
    """Unique name."""
    runs_on: tuple[Need, ...]
    """Ways to run it; the cheapest is taken."""
    kind: Literal["training", "fine_tuning"] | None = None
    """`training` or `fine_tuning`, which say how fast accelerators are to each other; else each way needs hours."""
    model: str | None = None
    """Model it trains or uses: a model of the estate, or of the catalogue; its licence and its memory count."""
    reads: tuple[JobRead, ...] = ()
    """Data it reads; of several copies the cheapest to read."""
    after: tuple[Handover, ...] = ()
    """Jobs it waits for, and what they hand on."""
    delivers: tuple[Delivery, ...] = ()
    """Places that get something of it."""
    classification: str = "internal"
    """Label used by policies; those of what it reads and takes over count too."""
    regimes: tuple[str, ...] = ()
    """Compliance regimes, e.g. `gdpr`; those of what it reads and takes over count too."""
    allows_spot: bool | None = None
    """Whether interruptible instances may be used; yes when not declared."""
    only_at: tuple[str, ...] = ()
    """Sites, layers or kinds it is confined to; anywhere when empty."""
    not_at: tuple[str, ...] = ()
    """Sites, layers or kinds it may not use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobData:
    """Data jobs read, and where it lies."""

    id: str
    """Unique name."""
    size_gb: float
    """Size, GB."""
    copies: tuple[str, ...]
    """Places that hold a copy: sites of the estate, or `provider:region`."""
    classification: str = "internal"
    """Label used by policies."""
    regimes: tuple[str, ...] = ()
    """Compliance regimes that apply, e.g. `gdpr`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFile:
    """A file of jobs."""

    apiVersion: Literal["tripoint/jobs/v1"]  # noqa: N815 - the field's spelling in every such file
    """Schema version of this file: `tripoint/jobs/v1`."""
    name: str = "jobs"
    """Name shown in answers."""
    datasets: tuple[JobData, ...] = ()
    """Data beside the estate's."""
    jobs: tuple[Job, ...]
    """What is to be run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOffer:
    """Instances a job may run on."""

    site: str
    """Where: a site of the estate, or `provider:region`."""
    node_type: str
    """Which instance."""
    option: PurchaseOption
    """Bought how; `owned` and `committed` are nodes there are already."""
    accelerator: str
    """Accelerator on them."""
    nodes: int
    """Instances, whole ones."""
    hours: float
    """Hours they run, work lost on spot included."""
    usd_per_hour: float
    """USD per instance and hour."""
    is_weak: bool = False
    """True where the price or a speed it rests on is an estimate or recalled."""

    @property
    def usd(self) -> float:
        """USD of all of it."""
        return self.nodes * self.hours * self.usd_per_hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Data that is moved over a tariff or stays where it is."""

    job: str
    """The job that takes it, or delivers it."""
    what: str
    """The dataset, the job it comes from, or the place it goes to."""
    source: str
    """Where from."""
    target: str
    """Where to."""
    gb: float
    """Volume, GB."""
    usd: float
    """Its part of what the tariff asks for all volume on it, USD."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instead:
    """The next best offer of a job, everything else staying as planned."""

    offer: JobOffer
    """What it would run on."""
    dearer_usd: float
    """How much dearer all jobs would be, USD; never negative but for the gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedJob:
    """Where a job is run."""

    job: str
    """Which."""
    offer: JobOffer
    """On what."""
    moved: tuple[Moved, ...]
    """What it takes over, reads and delivers."""
    instead: Instead | None
    """Next best; `None` where there is no other offer."""

    @property
    def moved_gb(self) -> float:
        """GB that leave a place for it."""
        return sum(each.gb for each in self.moved if each.source != each.target)

    @property
    def moved_usd(self) -> float:
        """USD of moving them."""
        return sum(each.usd for each in self.moved)


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """Offers a job may not or cannot use for one kind of reason."""

    job: str
    """Which job."""
    reason: str
    """Kind of reason, e.g. `residency`."""
    count: int
    """Offers (or whole sites) out for it."""
    example: str
    """One of them with its numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnePlace:
    """All jobs at one site."""

    site: str
    """Where."""
    usd: float
    """What it costs, USD."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """Where jobs are best run, with proof; or what keeps some from running anywhere."""

    name: str
    """Of the file."""
    asked: int
    """Jobs of the file."""
    jobs: tuple[PlannedJob, ...]
    """In the file's order; empty where some job has no offer."""
    usd: float
    """What all of it costs, USD."""
    bound_usd: float
    """Nothing costs less, USD."""
    seconds: float
    """Of the search."""
    hours: float
    """Hours of the longest chain of jobs that wait for each other; transfers and waiting for nodes come on top."""
    one_place: OnePlace | None
    """The cheapest site for all jobs together; `None` where no site may run all."""
    excluded: tuple[Excluded, ...]
    """What is out and why, by job and reason."""
    stuck: tuple[str, ...]
    """Jobs without any offer."""
    sites: int
    """Sites looked at."""
    offers: int
    """Offers looked at, over all jobs."""

    @property
    def gap(self) -> float:
        """(cost - bound) / cost."""
        return max(0.0, self.usd - self.bound_usd) / self.usd if self.usd > 0 else 0.0

    @property
    def compute_usd(self) -> float:
        """USD of instances."""
        return sum(each.offer.usd for each in self.jobs)

    @property
    def moved_usd(self) -> float:
        """USD of moving data."""
        return sum(each.moved_usd for each in self.jobs)
