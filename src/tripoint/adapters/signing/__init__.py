"""Secrets and signatures on disk: the pepper of the keys, the key that signs the audit log, its witnesses."""
