"""What all workers of one machine know together, in shared memory."""
