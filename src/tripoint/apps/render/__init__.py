"""Faces of answers: text, HTML and JSON payloads made from domain values; nothing here decides anything."""
