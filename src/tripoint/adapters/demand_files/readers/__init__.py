"""One reader per kind of log: requests, GPU jobs, ServeGen windows."""
