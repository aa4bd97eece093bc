"""Small pieces of every screen: tags, bars, thin spaces, addresses of lists."""

import re
from typing import Any

from django import template
from django.http import QueryDict
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

THIN_SPACE = "\u2009"
HAN = "\u3400-\u4dbf\u4e00-\u9fff"
LATIN = "A-Za-z0-9"
A_DATE, A_TIME, A_CODE = r"\d{4}-\d{2}-\d{2}", r"\d{2}:\d{2}", r"[A-Z]{1,2}(?:-\d{3,})+"
ONE_WORD = re.compile(rf"(?<![\dA-Z-])({A_DATE}|{A_TIME}|{A_CODE})(?![\d-])")
BETWEEN = re.compile(rf"(?<=[{HAN}])[ ]?(?=[{LATIN}])|(?<=[{LATIN}%])[ ]?(?=[{HAN}])")

# Four meanings only. What is not named here is neutral.
TONES = {
    "ok": {
        "published", "delivered", "in_force", "landed", "passed", "active", "agreed", "unchanged",
        "done", "met", "running_ok", "corrected", "closed_ok", "agree", "accepted", "fulfilled",
        "receipted", "nothing_new", "fixed", "ready", "confirmed", "carried_out",
    },
    "attention": {
        "awaiting_head", "district_review", "form_check", "supplement", "reviewing",
        "awaiting_second_review",
        "awaiting_signature",
        "submitted", "returned", "head_returned", "withdrawal_requested", "delivering", "checking",
        "received", "paused", "narrow", "clarify", "reading", "handed_in",
        "raised", "verifying", "correcting", "contested", "feedback",
        "forwarded", "requested", "disown", "filed", "made", "differing", "objected", "performed",
        "in_mending", "queued", "owed", "offered",
    },
    "bad": {
        "refused", "suspended", "standing", "failed", "overdue", "rejected", "expired_over",
        "refuse", "contested", "disputed", "voided",
    },
}  # fmt: skip
# A word that means something else in one table.
TONES_OF_ONE = {
    ("quality.correction", "accepted"): "attention",
    ("sharing.export", "running"): "attention",
    ("sharing.offer", "open"): "attention",
    ("sharing.offer", "declined"): "attention",
    ("sharing.databaselogin", "open"): "ok",
    ("sharing.plannedstop", "announced"): "attention",
    ("sharing.plannedstop", "running"): "bad",
    ("sharing.servicechange", "noticed"): "attention",
    ("sharing.servicechange", "agreed"): "attention",
}
TONE_OF = {status: tone for tone, statuses in TONES.items() for status in statuses}


@register.filter
def spaced(text: object) -> str:
    """Set a thin space between Chinese and Latin letters or figures."""
    return BETWEEN.sub(THIN_SPACE, str(text))


@register.filter
def whole(text: object) -> SafeString:
    """Keep dates, times and codes in a sentence whole: a browser breaks them at their hyphens."""
    parts = ONE_WORD.split(str(text))
    return format_html_join(
        "",
        "{}{}",
        (
            (words, format_html('<span class="nowrap">{}</span>', one) if one else "")
            for words, one in zip(parts[::2], [*parts[1::2], ""], strict=True)
        ),
    )


@register.simple_tag
def tag(label: object, tone: str = "neutral") -> SafeString:
    return format_html('<span class="tag tag--{}">{}</span>', tone, label)


@register.simple_tag
def status(row: Any) -> SafeString:
    """Show a row's status as a word in a tag of its meaning."""
    own = TONES_OF_ONE.get((row._meta.label_lower, row.status))
    return tag(row.get_status_display(), own or tone_of(row.status))


@register.filter
def tone_of(value: str) -> str:
    return TONE_OF.get(value, "neutral")


@register.simple_tag
def bar(ratio: float | None, tone: str = "") -> SafeString:
    """Draw a share (0–1) as a thin bar; the figure stands beside it in words."""
    width = round(max(0.0, min(1.0, ratio or 0.0)) * 100, 1)
    return format_html(
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="bar__ground" width="100" height="8"/>'
        '<rect class="bar__fill bar__fill--{}" width="{}" height="8"/></svg>',
        tone or "plain",
        width,
    )


@register.simple_tag(takes_context=True)
def query_with(context: dict[str, Any], **changes: Any) -> str:
    """Return this list's query string with some filters changed; an empty value clears one.

    The place in the list is dropped: another choice begins at its first page.
    """
    query: QueryDict = context["request"].GET.copy()
    for gone in ("after", "before", "page"):
        query.pop(gone, None)
    for key, value in changes.items():
        query.pop(key, None)
        if value not in (None, ""):
            query[key] = str(value)
    return "?" + query.urlencode()
