"""A gateway and model servers of our own, each a child process on loopback that we may kill."""
