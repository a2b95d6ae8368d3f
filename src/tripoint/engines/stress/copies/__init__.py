"""How far copies of data fall behind while links and sites are struck."""
