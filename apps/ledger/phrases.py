"""How an event is told: verb → phrase.

A move of a lifecycle needs no entry, its label is its phrase. Other verbs are registered by their
app, where its permissions are: `phrases.register({"clocks.set_day": _("调整了工作日历")})`.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core import lifecycle

DONE: Final = re.compile("了(?!解|结)")

_phrases: dict[str, str | Promise] = {
    "ledger.sign_in": gettext_lazy("登录"),
    "ledger.sign_out": gettext_lazy("退出登录"),
    "ledger.urge": gettext_lazy("催办"),
    "ledger.forward": gettext_lazy("转办"),
}


def register(phrases: Mapping[str, str | Promise]) -> None:
    """Tell how verbs are said; the same verb may not be said in two ways.

    Raises:
        ValueError: a verb has another phrase already.
    """
    for verb, phrase in phrases.items():
        if _phrases.setdefault(verb, phrase) != phrase:
            raise ValueError(f"{verb} is already said otherwise")


def phrase(verb: str, subject_type: str = "") -> str:
    """Return the words of a verb: registered, or its move's label, or the verb itself."""
    if verb in _phrases:
        return str(_phrases[verb])
    name = verb.rpartition(".")[2]
    table = lifecycle.registry.get(subject_type)
    if table is not None:
        for move in table.moves:
            if move.name == name:
                return str(move.label)
    return verb


def counted(phrase: str, details: Mapping[str, Any]) -> str:
    """Return a phrase with its number of rows, where it says one."""
    if "%(rows)s" not in phrase:
        return phrase
    return phrase % {"rows": f"{details.get('rows', 0):,}"}


def attempted(phrase: str) -> str:
    """Return a phrase without the 了 of what was done; what was refused was only tried."""
    return DONE.sub("", phrase)


def sentence(
    *, actor: str, principal: str, phrase: str, subject: str, refused: str, reason: str
) -> str:
    """Write one event as a sentence: who did what, in whose place, and why."""
    who = actor or _("系统")
    if principal:
        who = _("%(actor)s（代%(principal)s）") % {"actor": who, "principal": principal}
    values = {"who": who, "phrase": phrase, "subject": subject, "words": refused or reason}
    if refused:
        values["phrase"] = attempted(phrase)
        return _("%(who)s 尝试%(phrase)s %(subject)s，未获准：%(words)s") % values
    if reason and not actor:  # what the platform did comes with a result, not with a reason
        return _("%(who)s %(phrase)s %(subject)s：%(words)s") % values
    if reason:
        return _("%(who)s %(phrase)s %(subject)s，理由：%(words)s") % values
    if subject == actor:
        return f"{who} {phrase}"
    return _("%(who)s %(phrase)s %(subject)s") % values
