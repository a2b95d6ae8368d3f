"""The version of tripoint, stated once; packaging reads it from here."""

VERSION = "0.1.0"
