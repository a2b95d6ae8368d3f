"""The ledger process: loads what workers recorded into the store, and keeps the store in order."""
