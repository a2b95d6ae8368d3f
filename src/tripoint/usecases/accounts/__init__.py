"""Change and show tenants, principals, keys, quotas and budgets: by whoever may, and entered in the audit log."""
