"""Facts: one figure at a time, from the estate, the catalogues or the defaults, each with its source and its grade."""
