"""The use cases of supervision."""
