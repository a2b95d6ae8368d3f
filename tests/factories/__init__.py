"""Makers of realistic values for tests."""
