"""WORDS: frozen values every floor above speaks in. No I/O and no third-party import lives here."""
