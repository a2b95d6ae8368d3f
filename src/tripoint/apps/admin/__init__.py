"""The admin interface: tenants, keys, limits, audit and spend over HTTP, in a process of its own."""
