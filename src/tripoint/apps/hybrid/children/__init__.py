"""The processes of the local hybrid: model servers by site, and the gateway; none outlives the one that began them."""
