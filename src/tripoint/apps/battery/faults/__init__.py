"""What callers see while upstreams die, hang, lie and come back."""
