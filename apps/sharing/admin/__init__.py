"""Requests, grants and what was read under them, in the administration."""

from apps.sharing.admin import access_records, requests

__all__ = ["access_records", "requests"]
