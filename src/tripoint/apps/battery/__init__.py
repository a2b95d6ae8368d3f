"""The safety battery behind `tripoint verify gateway`: attacks on the wire and faults behind it, each with its bar.

`wire` needs nothing but an address and works against any OpenAI-compatible deployment; `faults` needs a rig of its own
(`rig`), where it may kill what it started.
"""
