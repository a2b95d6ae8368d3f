"""The tables the synthetic plan is told from: a retailer with 8 sites in three layers and 20 workloads."""

from __future__ import annotations

from dataclasses import dataclass

from tripoint.domain.demand import Block

PERIODS = tuple(f"{year}-Q{quarter}" for year in (2027, 2028, 2029) for quarter in (1, 2, 3, 4))
PERIOD_HOURS = 2190.0
_HOURS = tuple(range(168))
BLOCKS = (
    Block(name="b1", hours_of_week=_HOURS[:14], weight=14 / 168, longest_gap_hours=20),
    Block(name="b2", hours_of_week=_HOURS[14:56], weight=42 / 168, longest_gap_hours=14),
    Block(name="b3", hours_of_week=_HOURS[56:112], weight=56 / 168, longest_gap_hours=12),
    Block(name="b4", hours_of_week=_HOURS[112:], weight=56 / 168, longest_gap_hours=10),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A site of the story."""

    id: str
    kind: str
    layer: str
    provider: str
    country: str
    region: str = ""
    count: int = 1
    power_kw: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """A node pool of the story: owned and committed nodes by period, and prices."""

    site: str
    node_type: str
    gpus: int
    kw: float
    on_demand_usd: float = 0.0
    committed_usd: float = 0.0
    purchase_usd: float = 0.0
    owned: tuple[tuple[int, int], ...] = ()
    """(from period, nodes)."""
    committed: tuple[tuple[int, int, int], ...] = ()
    """(from period, to period, nodes)."""

    @property
    def id(self) -> str:
        """Pool id."""
        return f"{self.site}/{self.node_type}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A workload of the story: nodes at the mean of the first period, and where it goes."""

    id: str
    kind: str
    caller: str
    nodes: float
    growth: float
    route: tuple[tuple[int, str, float], ...]
    """(from period, pool, share); the latest entries of the period count."""
    mtok: float = 0.0
    """Million tokens per month in the first period."""
    tb_read: float = 0.0
    dataset: str = ""
    dataset_site: str = ""
    why: str = ""


PLACES = (
    Place(id="aws-virginia", kind="cloud", layer="public", provider="aws", country="US", region="us-east-1"),
    Place(id="aws-frankfurt", kind="cloud", layer="public", provider="aws", country="DE", region="eu-central-1"),
    Place(id="azure-west-europe", kind="cloud", layer="public", provider="azure", country="NL", region="westeurope"),
    Place(id="coreweave-us", kind="gpu_cloud", layer="dense", provider="coreweave", country="US", region="us-east"),
    Place(id="colo-ams", kind="colo", layer="dense", provider="own", country="NL", power_kw=330),
    Place(id="dc-frankfurt", kind="on_prem", layer="dense", provider="own", country="DE", power_kw=210),
    Place(id="stores-eu", kind="edge", layer="edge", provider="own", country="DE", count=240, power_kw=0.9),
    Place(id="plants", kind="edge", layer="edge", provider="own", country="US", count=6, power_kw=4),
)

STOCKS = (
    Stock(site="aws-virginia", node_type="p5.48xlarge", gpus=8, kw=0, on_demand_usd=55.04, committed_usd=33.0),
    Stock(
        site="aws-virginia",
        node_type="g6e.12xlarge",
        gpus=4,
        kw=0,
        on_demand_usd=10.49,
        committed_usd=6.5,
        committed=((0, 4, 6),),
    ),
    Stock(site="aws-virginia", node_type="claude-sonnet", gpus=0, kw=0),
    Stock(
        site="aws-frankfurt",
        node_type="p5.48xlarge",
        gpus=8,
        kw=0,
        on_demand_usd=66.0,
        committed_usd=39.6,
        committed=((2, 11, 3),),
    ),
    Stock(
        site="azure-west-europe",
        node_type="ND96isr_H100_v5",
        gpus=8,
        kw=0,
        on_demand_usd=98.32,
        committed_usd=56.0,
        committed=((0, 2, 2),),
    ),
    Stock(
        site="coreweave-us",
        node_type="gd-8xh100",
        gpus=8,
        kw=0,
        on_demand_usd=49.24,
        committed_usd=29.5,
        committed=((1, 11, 7), (6, 11, 5)),
    ),
    Stock(
        site="colo-ams",
        node_type="dgx-h100",
        gpus=8,
        kw=8.4,
        purchase_usd=330_000,
        owned=((0, 6), (3, 20), (6, 32), (9, 44)),
    ),
    Stock(site="dc-frankfurt", node_type="dgx-h100", gpus=8, kw=8.4, purchase_usd=330_000, owned=((0, 4), (4, 9))),
    Stock(site="dc-frankfurt", node_type="l40s-8", gpus=8, kw=4.1, purchase_usd=118_000, owned=((0, 12),)),
    Stock(site="stores-eu", node_type="jetson-agx", gpus=1, kw=0.06, purchase_usd=2_600, owned=((0, 390), (5, 590))),
    Stock(site="plants", node_type="l4-edge", gpus=2, kw=0.5, purchase_usd=14_000, owned=((0, 16),)),
)

_VA_H100 = "aws-virginia/p5.48xlarge"
_VA_L40S = "aws-virginia/g6e.12xlarge"
_VA_API = "aws-virginia/claude-sonnet"
_FRA_H100 = "aws-frankfurt/p5.48xlarge"
_AZ_H100 = "azure-west-europe/ND96isr_H100_v5"
_CW_H100 = "coreweave-us/gd-8xh100"
_AMS = "colo-ams/dgx-h100"
_DC = "dc-frankfurt/dgx-h100"
_DC_L40S = "dc-frankfurt/l40s-8"
_STORES = "stores-eu/jetson-agx"
_PLANTS = "plants/l4-edge"

JOBS = (
    Job(
        id="customer-chat-eu",
        kind="inference",
        caller="DE",
        nodes=3.2,
        growth=0.6,
        mtok=41_000,
        route=((0, _AMS, 0.7), (0, _FRA_H100, 0.3), (3, _AMS, 0.95), (3, _FRA_H100, 0.05)),
        why="personal data stays in the EEA; steady load on owned nodes, peaks burst to aws-frankfurt",
    ),
    Job(
        id="customer-chat-us",
        kind="inference",
        caller="US",
        nodes=2.6,
        growth=0.6,
        mtok=33_000,
        route=((0, _VA_H100, 1.0), (1, _CW_H100, 0.85), (1, _VA_H100, 0.15)),
        why="a one-year commitment at coreweave-us beats on-demand above 54 % utilisation",
    ),
    Job(
        id="code-assistant",
        kind="inference",
        caller="NL",
        nodes=2.1,
        growth=0.9,
        mtok=52_000,
        route=((0, _AZ_H100, 1.0), (3, _AMS, 1.0)),
        why="moves when the azure commitment lapses",
    ),
    Job(
        id="store-assistant",
        kind="inference",
        caller="stores-eu",
        nodes=150,
        growth=0.15,
        mtok=3_900,
        route=((0, _STORES, 1.0),),
        why="40 ms to first token cannot be met from a region 18 ms away",
    ),
    Job(
        id="shelf-vision",
        kind="inference",
        caller="stores-eu",
        nodes=60,
        growth=0.25,
        route=((0, _STORES, 1.0),),
        why="camera streams cost more to move than to process in place",
    ),
    Job(
        id="checkout-fraud",
        kind="inference",
        caller="stores-eu",
        nodes=1.2,
        growth=0.1,
        mtok=800,
        route=((0, _DC_L40S, 1.0),),
        why="PCI scope is held by dc-frankfurt only",
    ),
    Job(
        id="plant-quality",
        kind="inference",
        caller="plants",
        nodes=7.0,
        growth=0.1,
        route=((0, _PLANTS, 1.0),),
        why="must keep running without a WAN link",
    ),
    Job(
        id="search-rerank",
        kind="inference",
        caller="DE",
        nodes=2.4,
        growth=0.3,
        mtok=120_000,
        route=((0, _DC_L40S, 1.0),),
        why="already owned, written off in 2028",
    ),
    Job(
        id="voice-agent",
        kind="inference",
        caller="US",
        nodes=1.8,
        growth=0.8,
        mtok=9_400,
        route=((0, _VA_L40S, 1.0),),
        why="small model; L40S nodes are cheapest per token",
    ),
    Job(
        id="contract-review",
        kind="inference",
        caller="DE",
        nodes=0.0,
        growth=0.5,
        mtok=310,
        route=((0, _VA_API, 1.0),),
        why="too little volume to fill a node before 2031",
    ),
    Job(
        id="marketing-drafts",
        kind="inference",
        caller="US",
        nodes=0.0,
        growth=0.4,
        mtok=650,
        route=((0, _VA_API, 1.0),),
        why="per-token price wins below 11,900 Mtok per month",
    ),
    Job(
        id="health-triage",
        kind="inference",
        caller="DE",
        nodes=1.1,
        growth=0.35,
        mtok=2_700,
        route=((0, _DC, 1.0),),
        why="health data: own operator, own hardware, in Germany",
    ),
    Job(
        id="document-ingest",
        kind="batch_inference",
        caller="DE",
        nodes=1.9,
        growth=0.4,
        mtok=88_000,
        tb_read=46,
        dataset="documents",
        dataset_site="dc-frankfurt",
        route=((0, _AZ_H100, 0.4), (0, _DC, 0.6), (4, _DC, 1.0)),
        why="follows its 180 TB dataset",
    ),
    Job(
        id="call-summaries",
        kind="batch_inference",
        caller="US",
        nodes=1.4,
        growth=0.5,
        mtok=24_000,
        tb_read=8,
        dataset="calls",
        dataset_site="aws-virginia",
        route=((0, _VA_H100, 1.0), (1, _CW_H100, 1.0)),
        why="may run at night on committed nodes",
    ),
    Job(
        id="catalogue-translate",
        kind="batch_inference",
        caller="NL",
        nodes=0.8,
        growth=0.2,
        mtok=15_000,
        route=((0, _AMS, 1.0),),
        why="fills owned nodes at night at no extra node cost",
    ),
    Job(
        id="product-embeddings",
        kind="embedding",
        caller="NL",
        nodes=0.6,
        growth=0.3,
        mtok=210_000,
        tb_read=3,
        dataset="catalogue",
        dataset_site="colo-ams",
        route=((0, _AMS, 1.0),),
        why="dataset is in colo-ams",
    ),
    Job(
        id="log-embeddings",
        kind="embedding",
        caller="US",
        nodes=0.9,
        growth=0.5,
        mtok=340_000,
        tb_read=21,
        dataset="logs",
        dataset_site="aws-virginia",
        route=((0, _VA_L40S, 1.0),),
        why="21 TB per month would leave aws-virginia otherwise",
    ),
    Job(
        id="demand-forecast",
        kind="training",
        caller="DE",
        nodes=1.6,
        growth=0.1,
        tb_read=12,
        dataset="sales",
        dataset_site="dc-frankfurt",
        route=((0, _DC, 1.0),),
        why="gang of 16 GPUs fits two nodes",
    ),
    Job(
        id="foundation-tune",
        kind="fine_tuning",
        caller="US",
        nodes=3.0,
        growth=0.3,
        tb_read=30,
        dataset="corpus",
        dataset_site="aws-virginia",
        route=((0, _VA_H100, 1.0), (1, _CW_H100, 1.0)),
        why="commitment at coreweave-us has room at night",
    ),
    Job(
        id="vision-train",
        kind="training",
        caller="NL",
        nodes=2.2,
        growth=0.25,
        tb_read=55,
        dataset="images",
        dataset_site="colo-ams",
        route=((0, _CW_H100, 1.0), (3, _AMS, 1.0)),
        why="moves with the delivery of the second rack row",
    ),
)


def route(job: Job, period: int) -> list[tuple[str, float]]:
    """(pool, share) of a job in a period."""
    latest = max(start for start, _, _ in job.route if start <= period)
    return [(pool, share) for start, pool, share in job.route if start == latest]


def owned(stock: Stock, period: int) -> float:
    """Owned nodes in service."""
    return max((float(nodes) for start, nodes in stock.owned if start <= period), default=0.0)


def committed(stock: Stock, period: int) -> float:
    """Committed nodes."""
    return float(sum(nodes for start, end, nodes in stock.committed if start <= period <= end))


def volume(job: Job, period: int) -> float:
    """Million tokens in a period."""
    return float(job.mtok * 3 * (1 + job.growth) ** (period / 4))
