"""Bytes of requests and answers: what a request asks, whole events of a stream, usage, and the words of errors."""
