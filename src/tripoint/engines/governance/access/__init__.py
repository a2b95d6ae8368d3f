"""Who may do what: keys and their checksums, roles and actions, names that can be used."""
