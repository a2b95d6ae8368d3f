"""Tenants, money and proof: pure rules of budgets, keys, audit and the ledger."""
