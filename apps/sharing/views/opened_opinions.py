"""Opinions that were written blind, once they are open: the two beside each other."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from apps.core import access
from apps.sharing import queries
from apps.sharing.models import SealedOpinion, SharingRequest
from apps.sharing.views.beside import Beside, Version, side_by_side


@dataclass(frozen=True)
class Pair:
    """Two opinions that were written blind, and their terms beside each other."""

    opinions: list[SealedOpinion]
    beside: Beside


def opened_pairs(user: Any, subject: SharingRequest) -> list[Pair]:
    """Return the opinions on a request that were written blind, as far as he may see them."""
    opened = access.rows(user, "view", SealedOpinion, at=timezone.now())
    found = list(queries.opened_opinions(subject).filter(pk__in=opened.values("pk")))
    rounds = dict.fromkeys(opinion.round for opinion in found)
    pairs = []
    for number in rounds:
        both = [opinion for opinion in found if opinion.round == number]
        versions = [
            Version(str(opinion.author), opinion.get_outcome_display(), opinion)
            for opinion in both
            if opinion.outcome != "refuse"
        ]
        pairs.append(Pair(both, side_by_side(subject.dataset, versions)))
    return pairs
