"""HTTP/1.1 to upstreams: kept connections per target, a strict parser, and nothing the estate does not name."""
