"""Chains and graphs of jobs that hand data on, beside SkyPilot's optimiser."""
