"""Who calls, what they mean and whether they may: keys, names and admission."""
