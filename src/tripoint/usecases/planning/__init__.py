"""What `tripoint plan` is made of: options, a start from an earlier plan, alternatives, why there is no plan."""
