"""Estates as YAML: a position-keeping reader, a decoder that tells every mistake, and the editors' schema."""

from tripoint.adapters.estate_yaml.loader import load_estate_file, read_readable_estate
from tripoint.adapters.estate_yaml.schema import estate_schema

__all__ = ["estate_schema", "load_estate_file", "read_readable_estate"]
