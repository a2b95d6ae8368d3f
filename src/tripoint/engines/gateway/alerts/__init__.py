"""When somebody should be told: alert rules for Prometheus over the gateway's own meters."""
