"""What `tripoint stress` is made of: options, what is tried, trials of it, and plans of estates that were changed."""
