"""What the frame of every page needs to know about the person and the place."""

from typing import Any

from django import template
from django.conf import settings
from django.utils import timezone

from apps.console import navigation as navigating
from apps.ledger import queries as ledger

register = template.Library()


@register.simple_tag(takes_context=True)
def work_navigation(context: dict[str, Any]) -> list[Any]:
    request = context["request"]
    return navigating.navigation(request.user, request.path)


@register.simple_tag(takes_context=True)
def standing_in_for(context: dict[str, Any]) -> list[Any]:
    """The people for whom the person stands in today (代办)."""
    return list(context["request"].user.principals(timezone.now()))


@register.simple_tag(takes_context=True)
def unread_notices(context: dict[str, Any]) -> int:
    return ledger.notices_of(context["request"].user).filter(read_at=None).count()


@register.simple_tag(takes_context=True)
def open_todos(context: dict[str, Any]) -> int:
    return ledger.todos_of(context["request"].user).count()


@register.simple_tag
def demonstration() -> bool:
    return bool(settings.HUILIU_DEMO)


@register.simple_tag
def demo_accounts() -> list[Any]:
    """The accounts a visitor may try, in demonstration mode only."""
    return list(settings.HUILIU_DEMO_ACCOUNTS) if settings.HUILIU_DEMO else []
