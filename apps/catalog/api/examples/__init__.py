"""One example of every answer and request of the catalogue's API; lists make pages of them."""
