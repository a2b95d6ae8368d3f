"""Tokens of an OpenID Connect provider: keys are fetched from the declared issuer only, tokens checked by them."""
