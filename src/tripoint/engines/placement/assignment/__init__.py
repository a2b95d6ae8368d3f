"""Whole workloads onto the nodes of shared offers in one period: bound, kernel and search for sizes no solver takes."""
