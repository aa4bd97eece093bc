"""What a person may do with a correction now: its lifecycle ∩ what he may; off with the reason."""

from dataclasses import dataclass
from typing import Any, Final

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from apps.core import access
from apps.quality.lifecycle import CORRECTION
from apps.quality.models import Correction
from apps.quality.operations.corrections.correcting import why_not_one_click

ORDER: Final = ("primary", "neutral", "danger")
NEVER_BY_HAND: Final = ("correct", "feed_back")


@dataclass(frozen=True)
class Button:
    """One thing to do; `why_not` says why it cannot be done, empty when it can."""

    name: str
    label: str | Promise
    url: str
    tone: str = "neutral"
    why_not: str = ""


def buttons(user: Any, correction: Correction) -> list[Button]:
    """Return what this person may do with the correction now, the main thing first."""
    found = [
        Button(move.name, move.label, _address(correction, move.name), move.tone)
        for move in CORRECTION.moves_from(correction.status)
        if move.name not in NEVER_BY_HAND and access.allowed(user, move.name, correction)
    ]
    if correction.status == "correcting" and access.allowed(user, "hand_in", correction):
        found.append(
            Button(
                "hand_in",
                _("按认定值更正"),
                _address(correction, "hand_in"),
                "primary",
                why_not_one_click(correction),
            )
        )
    if correction.status == "correcting" and access.allowed(user, "link", correction):
        found.append(Button("link", _("指定更正批次"), _address(correction, "link")))
    return sorted(found, key=lambda button: ORDER.index(button.tone))


def _address(correction: Correction, name: str) -> str:
    return reverse("quality:correction-move", args=[correction.pk, name])
