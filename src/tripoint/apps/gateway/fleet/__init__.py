"""The supervisor: compiles the table, keeps the workers alive, reloads them and ends them."""
