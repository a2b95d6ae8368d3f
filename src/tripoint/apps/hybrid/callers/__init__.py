"""Those who call: gentle traffic as the estate declares it, a plain client, and what they count."""
