"""What a deployment does with hostile bytes: raw sockets, no HTTP library in between."""
