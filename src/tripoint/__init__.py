"""tripoint: plan where AI workloads live across public cloud, dense private clusters and the edge."""
