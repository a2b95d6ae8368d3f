"""What the gateway tells: metrics, log lines, trace context, and what upstreams tell of themselves."""
