"""Request by request through the gateway's own machines, over a simulated network and simulated places."""
