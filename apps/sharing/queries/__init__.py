"""What is asked of requests and grants."""

from apps.sharing.queries.explanation import (
    Reason,
    condition_in_words,
    conditions_in_words,
    explain,
)
from apps.sharing.queries.lists import (
    CLOSED,
    awaiting_my_decision,
    current_steps,
    grants_in_force,
    grants_to_deliver,
    grants_to_expire,
    grants_to_tear_down,
    open_grants,
    open_steps,
    requests_of_department,
    requests_to_department,
    shares_last_grant,
    visible_requests,
)
from apps.sharing.queries.terms import (
    asked_terms,
    days_as_instants,
    default_mask,
    latest_decision,
    needs_provider,
    unshareable,
    written_items,
)

__all__ = [
    "CLOSED",
    "Reason",
    "asked_terms",
    "awaiting_my_decision",
    "condition_in_words",
    "conditions_in_words",
    "current_steps",
    "days_as_instants",
    "default_mask",
    "explain",
    "grants_in_force",
    "grants_to_deliver",
    "grants_to_expire",
    "grants_to_tear_down",
    "latest_decision",
    "needs_provider",
    "open_grants",
    "open_steps",
    "requests_of_department",
    "requests_to_department",
    "shares_last_grant",
    "unshareable",
    "visible_requests",
    "written_items",
]
