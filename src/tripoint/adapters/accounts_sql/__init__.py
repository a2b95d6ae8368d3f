"""Accounts and their audit log in SQL."""
