"""THE OUTSIDE WORLD: files, solvers and catalogues, named by technology."""
