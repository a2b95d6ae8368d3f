"""SQL stores: one way to reach SQLite and PostgreSQL; what a store keeps is written once for both."""
