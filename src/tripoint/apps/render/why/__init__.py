"""Answers to why: two plans beside each other, one workload's choice."""
