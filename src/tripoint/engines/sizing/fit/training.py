"""Can a node train: does a gang of its accelerators hold the model, are they fast, can enough nodes be joined?

Memory: a full training run keeps weights, gradients' master copy and optimiser state sharded over its gang,
`training.checkpoint_bytes_per_parameter` for each parameter (mixed-precision Adam). Fine-tuning keeps the frozen
weights and a little for adapters: weights x `training.fine_tuning_memory`. A run without a declared gang stays in one
node. Activations come on top and are bought with smaller batches, so that a refusal is never too strict.

Gang: a run larger than a node needs nodes made for it, with a fast fabric between them; those with fewer than
`training.multi_node_min_gpus` accelerators are sold without one.
"""

from __future__ import annotations

import math

from tripoint.domain.fit import Fit, RefusalReason
from tripoint.domain.hardware import Accelerator
from tripoint.domain.provenance import Figure
from tripoint.domain.workload import WorkloadKind
from tripoint.engines.facts.pools import PoolSpec
from tripoint.engines.sizing.fit.desk import Desk, Errand
from tripoint.engines.sizing.speed.memory import bytes_key
from tripoint.engines.sizing.speed.training import DEFAULT_REFERENCE, relative_speed
from tripoint.engines.sizing.verdict import Verdict

_UNQUANTISED = "bf16"


def training_fit(
    desk: Desk, errand: Errand, pool: PoolSpec, chip: Accelerator
) -> tuple[Fit | Verdict, tuple[Figure, ...]]:
    """Node-hours per reference accelerator-hour, and the nodes of a gang."""
    workload, gang = errand.workload, errand.demand.gang_gpus
    crowded = _memory(desk, errand, pool, chip)
    if crowded is not None:
        return crowded, ()
    reference = workload.demand.reference_accelerator or DEFAULT_REFERENCE
    speed = relative_speed(desk.catalog, workload.kind, pool.node.accelerator, reference, gang)
    if speed is None or speed.value <= 0:
        text = f"no training speed of {pool.node.accelerator} relative to {reference}; name another reference"
        return Verdict(reason=RefusalReason.NO_THROUGHPUT, text=text), ()
    verdict = _unjoined(desk, pool, gang) or _too_large(pool, gang)
    if verdict is not None:
        return verdict, ()
    node_hours = 1 / (speed.value * pool.node.gpus)
    fit = Fit(
        workload=workload.id,
        site=pool.site.id,
        pool=pool.id,
        node_type=pool.node.id,
        gpus_per_replica=gang,
        fixed_nodes=float(_gang_nodes(pool, gang)),
        nodes_per_unit=node_hours,
        busy_nodes_per_unit=node_hours,
        basis=(speed.key,),
    )
    return fit, (speed,)


def _gang_nodes(pool: PoolSpec, gang: int) -> int:
    return math.ceil(gang / pool.node.gpus)


def _memory(desk: Desk, errand: Errand, pool: PoolSpec, chip: Accelerator) -> Verdict | None:
    """The model's state against the memory of all accelerators of a run."""
    if errand.size is None:
        return None
    bytes_each, what = _bytes_per_parameter(desk, errand)
    gpus = errand.demand.gang_gpus or pool.node.gpus
    need, have = errand.size.parameters_b * bytes_each, gpus * chip.memory_gb
    if need <= have:
        return None
    text = (
        f"{what} `{errand.size.name}` needs {need:,.0f} GB ({errand.size.parameters_b:g} billion parameters x "
        f"{bytes_each:g} bytes); {gpus} of {chip.id} have {have:,.0f} GB ({chip.memory_gb:g} each); raise `gang_gpus` "
        f"to {math.ceil(need / chip.memory_gb)} or use accelerators with more memory"
    )
    return Verdict(reason=RefusalReason.MEMORY, text=text, actual=need, limit=have, unit="GB")


def _bytes_per_parameter(desk: Desk, errand: Errand) -> tuple[float, str]:
    """Bytes kept for each parameter; fine-tuning at the smallest precision accepted, bf16 where none is declared."""
    if errand.workload.kind is WorkloadKind.TRAINING:
        return desk.default("training.checkpoint_bytes_per_parameter").value, "training"
    accepted = (errand.spec.precisions if errand.spec is not None else None) or (_UNQUANTISED,)
    weights = min(desk.default(bytes_key(name)).value for name in accepted)
    return weights * desk.default("training.fine_tuning_memory").value, "fine-tuning"


def _unjoined(desk: Desk, pool: PoolSpec, gang: int) -> Verdict | None:
    """A gang larger than a node needs nodes that are sold with a fabric for it."""
    least, gpus = desk.default("training.multi_node_min_gpus"), pool.node.gpus
    if gang <= gpus or gpus >= least.value:
        return None
    text = (
        f"one run needs {gang} accelerators at once; `{pool.node.id}` has {gpus}, and nodes of fewer than "
        f"{least.value:g} are taken to have no fabric to train over; shrink `gang_gpus` to {gpus}, use larger nodes, "
        f"or lower `training.multi_node_min_gpus` in `assumptions` where yours have one"
    )
    return Verdict(reason=RefusalReason.GANG, text=text, actual=float(gang), limit=float(gpus), unit="accelerators")


def _too_large(pool: PoolSpec, gang: int) -> Verdict | None:
    nodes = _gang_nodes(pool, gang)
    if pool.max_nodes is None or nodes <= pool.max_nodes:
        return None
    text = (
        f"one run needs {gang} accelerators at once, {nodes} nodes of {pool.node.gpus}; `{pool.id}` may have "
        f"{pool.max_nodes}; raise `max_nodes` or shrink `gang_gpus`"
    )
    limit = float(pool.max_nodes)
    return Verdict(reason=RefusalReason.GANG, text=text, actual=float(nodes), limit=limit, unit="nodes")
