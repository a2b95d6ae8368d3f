"""Budgets in SQL: what is spent in each window, and what every worker has leased of the rest."""
