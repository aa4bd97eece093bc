"""How a request comes to be: drafted, for a matter, from a demand, and sent on its way."""
