"""The server's side of HTTP: what may be asked, what a proper request is, and the connection that carries it."""
