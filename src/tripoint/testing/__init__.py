"""Helpers for tests of tripoint and of its plug-ins."""
