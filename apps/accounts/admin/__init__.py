"""Departments, people, systems and reforms in the administration."""

from apps.accounts.admin import departments, people, reforms, systems

__all__ = ["departments", "people", "reforms", "systems"]
