"""The data path's decisions as machines without I/O: the live gateway and the simulator drive the same objects."""
