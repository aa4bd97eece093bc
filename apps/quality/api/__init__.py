"""Quality over the API."""
