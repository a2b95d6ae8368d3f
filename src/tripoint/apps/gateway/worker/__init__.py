"""One worker process: its sockets, clocks and files around one `Gateway`."""
