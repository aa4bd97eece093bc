"""Journeys that read as a consumer leave roles and schemas in the server, dropped afterwards."""

from tests.sharing.conftest import server

__all__ = ["server"]
