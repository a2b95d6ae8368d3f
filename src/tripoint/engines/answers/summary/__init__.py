"""What each workload and site costs, and why it stands where it stands."""
