"""What the decider should know first, beside the pages on which he decides."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.http import QueryDict
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from apps.core import access
from apps.sharing import queries
from apps.sharing.forms.conditions import MOST_LINES, ConditionLines
from apps.sharing.models import COUNTED, Decision, Mode, SharingRequest
from apps.sharing.queries import weighing
from apps.sharing.queries.terms_templates import Filled
from apps.sharing.queries.weighing import LeastData, Weighed, Weighing
from apps.sharing.views.against import terms_asked


@dataclass(frozen=True)
class Typed:
    """What somebody is about to propose: items with masks, and the form as posted."""

    chosen: Mapping[str, str]
    lines: ConditionLines
    data: Mapping[str, Any] | None


def weighing_for(
    user: Any, subject: SharingRequest, at: datetime, terms: Weighed | None = None
) -> Weighing | None:
    """Weigh the terms as they stand, or those given; None for whoever may not know."""
    if not access.allowed(user, "weigh", subject, at=at):
        return None
    standing = queries.latest_decision(subject) or queries.asked_terms(subject)
    if terms is None and standing is not None:
        terms = weighing.weighed_terms(subject, standing)
    return weighing.weigh(terms, user, at) if terms is not None else None


def objections_to(subject: SharingRequest) -> list[weighing.Finding]:
    """Return what the provider will hold against the request, for whoever still can mend it."""
    terms = terms_asked(subject)
    if terms.starts_on is None or terms.ends_on is None:
        return []
    return weighing.findings_of(weighing.weighed_terms(subject, terms))


def objections_before(user: Any, subject: SharingRequest) -> list[weighing.Finding]:
    """Return the same for the head who is about to send it; [] for anybody else."""
    is_ahead = subject.status == SharingRequest.Status.AWAITING_HEAD
    may_send = is_ahead and access.allowed(user, "approve_by_head", subject)
    return objections_to(subject) if may_send else []


def typed_terms(subject: SharingRequest, asked: Decision, typed: Typed) -> Weighed:
    """Return the terms that the form would propose, as far as they are written."""
    data = typed.data or {}
    written = _day(data.get("ends_on", ""))
    return weighing.weighed_terms(
        subject,
        asked,
        items=typed.chosen,
        mode=Mode.VERIFY if data.get("is_verify_only") else None,
        ends_on=min(written, asked.ends_on) if written else None,
        has_condition=bool(asked.row_condition or typed.lines.filled),
    )


def filled(data: QueryDict, least: LeastData) -> QueryDict:
    """Return the form as posted with the proposal written into it; nothing is sent by that."""
    written = data.copy()
    written["outcome"] = "narrow"
    written.setlist("items", list(least.items))
    for name, mask in least.items.items():
        written[f"mask-{name}"] = mask
    if least.mode is not None:
        written["is_verify_only"] = "on"
    written["ends_on"] = least.ends_on.isoformat()
    said = data.get("reason", "").strip()
    if least.in_words not in said:
        written["reason"] = f"{said}\n{least.in_words}".strip()
    return written


def with_template(data: QueryDict, terms: Filled, name: str, lines: ConditionLines) -> QueryDict:
    """Return the form as posted with a template written into it.

    lines: those typed so far, which stay, with the template's conditions after them.
    """
    written = data.copy()
    written["outcome"] = "narrow"
    written.setlist("items", list(terms.items))
    for item, mask in terms.items.items():
        written[f"mask-{item}"] = mask
    if terms.mode is not None:
        written["is_verify_only"] = "on"
    written["ends_on"] = terms.ends_on.isoformat()
    for limit in COUNTED:
        written[limit] = "" if terms.limits[limit] is None else str(terms.limits[limit])
    written["allowed_addresses"] = "\n".join(terms.limits["allowed_addresses"])
    if not terms.limits["may_redistribute"]:
        written.pop("may_redistribute", None)
    known = lines.as_json()
    added = ConditionLines(
        lines.columns, initial=[entry for entry in terms.added if entry not in known]
    )
    _append(written, lines, added)
    reason = data.get("reason", "").strip()
    words = str(_("按授权条款模板“%(name)s”。")) % {"name": name}
    written["reason"] = reason if words in reason else f"{reason}\n{words}".strip()
    return written


def _append(written: QueryDict, lines: ConditionLines, added: ConditionLines) -> None:
    """Write the filled lines of one builder after those of the other, in free numbers."""
    used = {line.number for line in lines.filled}
    free = (number for number in range(MOST_LINES) if number not in used)
    for number, line in zip(free, added.filled, strict=False):
        written[f"item-{number}"] = line.item
        written[f"operator-{number}"] = line.operator
        written[f"value-{number}"] = line.value


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None
