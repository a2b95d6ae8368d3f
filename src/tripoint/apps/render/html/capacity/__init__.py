"""Sections about capacity: who lives where, what is bought, how full it is, which limit comes first."""
