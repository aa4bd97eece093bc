"""Put everything that a spreadsheet brought before the head of the sharing office, in one go."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.catalog.lifecycle import EDITABLE, EDITABLE_CHANGE
from apps.catalog.models import CatalogImport, ImportEntry
from apps.catalog.operations.changes import submit_change
from apps.catalog.operations.review import submit
from apps.core import access
from apps.core.errors import DomainError


@dataclass(frozen=True, slots=True)
class Submitted:
    """One entry: `problem` is empty when it was submitted."""

    entry: ImportEntry
    problem: str = ""


def submit_all(*, subject: CatalogImport, actor: User, at: datetime) -> list[Submitted]:
    """Submit the drafts and changes of an adopted import, each by the ordinary operation.

    What is incomplete stays a draft, with the reason; the others go on.

    Raises:
        NotAllowed: the import is not the actor's.
    """
    access.require(actor, "submit_all", subject, at=at)
    entries = (
        subject.entries.exclude(outcome__in=["", "skipped", "counted"])
        .select_related("dataset__department", "change__dataset__department")
        .order_by("position")
    )
    results = []
    for entry in entries:
        try:
            if _submit(entry, actor, at):
                results.append(Submitted(entry))
        except DomainError as error:
            listed = error.details.get("errors")
            words = "；".join(listed[:5]) if isinstance(listed, list) else str(error)
            results.append(Submitted(entry, words or _("不能提交")))
    return results


def _submit(entry: ImportEntry, actor: User, at: datetime) -> bool:
    """Say whether there was anything to submit: what went on already is passed over."""
    if entry.change is not None:
        if entry.change.status not in EDITABLE_CHANGE:
            return False
        submit_change(change=entry.change, actor=actor, at=at)
        return True
    if entry.dataset is None or entry.dataset.status not in EDITABLE:
        return False
    submit(dataset=entry.dataset, actor=actor, at=at)
    return True
