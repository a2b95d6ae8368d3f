"""How long a site takes to answer: prefill and decode of a batch that changes with every arrival."""
