"""Plans of jobs, as text and as JSON."""
