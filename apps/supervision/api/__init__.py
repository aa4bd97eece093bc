"""Supervision over the API."""
