"""How well upstreams are: breakers, live latency, retry budgets, and the board all workers share."""
