"""What tokens cost in full: hours of nodes paid for, spread over what the nodes can do, as exact price rows."""
