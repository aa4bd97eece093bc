"""What the provider, and the authority, make of a request until it is answered."""
