"""What is left of each workload after a loss, and which capacity comes back when?"""
