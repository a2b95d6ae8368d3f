"""What a request costs through the gateway, side by side with nginx, Envoy and other gateways in one run."""
