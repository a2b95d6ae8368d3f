"""What one unit of a lane's share means in nodes, node-hours and tokens; used to formulate and to decode alike.

Interactive workloads: the share is of the requests of a block. Energy kinds: the share is of the period's work,
done in that block.
"""

from __future__ import annotations

from tripoint.domain.units import SECONDS_PER_HOUR, TOKENS_PER_MTOK
from tripoint.domain.workload import Workload, WorkloadKind
from tripoint.engines.placement.instance.instance import Instance, Lane

_WEEK_HOURS = 168.0
Table = tuple[tuple[float, ...], ...]


def is_energy(workload: Workload) -> bool:
    """True where work may be done at any time before its deadline."""
    return not workload.kind.is_interactive


def is_indivisible(workload: Workload) -> bool:
    """Declared, else: training and fine-tuning runs stay in one place per period."""
    if workload.is_indivisible is not None:
        return workload.is_indivisible
    return workload.kind in (WorkloadKind.TRAINING, WorkloadKind.FINE_TUNING)


def nodes_per_share(instance: Instance, lane: Lane, period: int, block: int) -> float:
    """Nodes occupied in the block per unit of share.

    Energy kinds: nodes_per_unit x work / hours of the block. Interactive: what the queue needs for the whole demand.
    Replicas, spare ones included, are sized on the whole and spread with the shares, because one endpoint in front of
    all sites sends each request where a replica is free.
    """
    if is_energy(instance.workload(lane)):
        return lane.fit.nodes_per_unit * instance.demand(lane).work[period] / instance.block_hours(block)
    return 0.0 if lane.pool is None else lane.fit.nodes[period][block]


def share_nodes(instance: Instance, lane: Lane) -> Table:
    """[period][block] `nodes_per_share`, all at once: the program asks for them by the million."""
    if is_energy(instance.workload(lane)):
        work, each = instance.demand(lane).work, lane.fit.nodes_per_unit
        hours = [instance.block_hours(block) for block in instance.blocks]
        return tuple(tuple(each * work[period] / length for length in hours) for period in instance.periods)
    return ((0.0,) * len(instance.blocks),) * len(instance.periods) if lane.pool is None else lane.fit.nodes


def share_volumes(instance: Instance, workload: int) -> Table:
    """[period][block] `volume_share`."""
    return tuple(
        tuple(volume_share(instance, workload, period, block) for block in instance.blocks)
        for period in instance.periods
    )


def busy_hours_per_share(instance: Instance, lane: Lane, period: int, block: int) -> float:
    """Node-hours under load in the block per unit of share: the mean rate draws power, not the peak."""
    demand = instance.demand(lane)
    if is_energy(instance.workload(lane)):
        return lane.fit.busy_nodes_per_unit * demand.work[period]
    hours = instance.block_hours(block)
    return lane.fit.busy_nodes_per_unit * demand.mean_rate[period][block] * hours


def least_nodes(instance: Instance, lane: Lane) -> float:
    """Nodes of the fewest replicas an interactive workload may run where it runs at all; 0 for other lanes."""
    workload = instance.workload(lane)
    if lane.pool is None or is_energy(workload) or not lane.fit.gpus_per_replica:
        return 0.0
    pool = instance.pools[lane.pool]
    replicas = 1 if workload.min_replicas is None else workload.min_replicas
    return replicas * lane.fit.gpus_per_replica / pool.gpus * pool.count


def mtok_per_share(instance: Instance, lane: Lane, period: int, block: int) -> tuple[float, float]:
    """Million input and output tokens per unit of share."""
    demand = instance.demand(lane)
    if is_energy(instance.workload(lane)):
        return demand.mtok_in[period], demand.mtok_out[period]
    requests = demand.mean_rate[period][block] * instance.block_hours(block) * SECONDS_PER_HOUR
    return (
        requests * demand.input_tokens / TOKENS_PER_MTOK,
        requests * demand.output_tokens / TOKENS_PER_MTOK,
    )


def volume_share(instance: Instance, workload: int, period: int, block: int) -> float:
    """Part of the period's volume that one unit of share in the block stands for (energy kinds: all of it)."""
    if is_energy(instance.estate.workloads[workload]):
        return 1.0
    demand = instance.grid.workloads[workload]
    total = sum(demand.mean_rate[period][number] * block_.weight for number, block_ in enumerate(instance.grid.blocks))
    if total <= 0.0:
        return instance.grid.blocks[block].weight
    return demand.mean_rate[period][block] * instance.grid.blocks[block].weight / total


def usable_blocks(instance: Instance, workload: int) -> tuple[int, ...]:
    """Blocks an energy workload may rely on: those that come round at least once within its deadline.

    When none does, all blocks are returned and the deadline family makes work follow the clock instead.
    """
    deadline = instance.estate.workloads[workload].deadline_hours
    blocks = instance.grid.blocks
    if deadline is None or deadline >= _WEEK_HOURS:
        return tuple(range(len(blocks)))
    kept = tuple(number for number, block in enumerate(blocks) if block.longest_gap_hours <= deadline)
    return kept or tuple(range(len(blocks)))


def follows_the_clock(instance: Instance, workload: int) -> bool:
    """True when the deadline is shorter than every block's longest gap, so no valley can be waited for."""
    deadline = instance.estate.workloads[workload].deadline_hours
    if deadline is None:
        return False
    return all(block.longest_gap_hours > deadline for block in instance.grid.blocks)
