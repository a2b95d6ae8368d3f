"""What makes a terminal pleasant: types of flags, near misses of names, Ctrl-C in two steps, progress."""
