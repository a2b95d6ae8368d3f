"""What takes a workload down: dependency graphs, and all their cut sets of one and two."""
