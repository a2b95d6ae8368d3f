"""Operations on tenants, principals, keys, quotas and budgets."""
