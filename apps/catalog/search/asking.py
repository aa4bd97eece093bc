"""From what a reader types to what the index is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from operator import add, and_
from typing import Any, Final

from django.db.models import BooleanField, F, FloatField, Func, IntegerField, Q, Value
from django.db.models.functions import Cast
from django.db.models.lookups import GreaterThanOrEqual

from apps.catalog.models import Synonym
from apps.catalog.tokens import (
    initials_of,
    is_chinese,
    is_code,
    pairs_of,
    plain,
    quoted,
    runs_of,
    terms_of,
)

TERMS_READ: Final = 20
"""Words of a question that are asked for; a longer one is read no further."""

ALIKE: Final = 0.6
"""The share of a mistyped word's pairs of characters that an entry must have."""


SPELLED: Final = 5
"""Letters of a word in pinyin from which on a slip in it can be told from another word."""

CONFUSED: Final = (("z", "zh"), ("c", "ch"), ("s", "sh"), ("n", "ng"), ("n", "l"), ("f", "h"))
"""Sounds that speakers of many dialects write for each other."""


@dataclass(frozen=True, slots=True)
class Term:
    """One word that must be found. typed: as it was; marks: what is marked in a text;
    asked: a tsquery; tokens: what counts towards the rank."""

    typed: str
    marks: tuple[str, ...]
    asked: str
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """What the reader asks for: every term; `pairs` bind terms that stood beside each other."""

    terms: tuple[Term, ...]
    pairs: tuple[str, ...] = ()

    @property
    def asked(self) -> str:
        return " & ".join(term.asked for term in self.terms)

    @property
    def ranked(self) -> str:
        """The tsquery by which entries rank: whatever of it stands in name, items or themes."""
        tokens = chain(self.pairs, *(term.tokens for term in self.terms))
        return " | ".join(dict.fromkeys(tokens))

    @property
    def marks(self) -> list[str]:
        return [mark for term in self.terms for mark in term.marks]


Synonyms = Mapping[str, Sequence[str]]


def synonyms() -> dict[str, list[str]]:
    """Return of every word of the table the others of its groups. One statement."""
    found: dict[str, list[str]] = {}
    for word, others in Synonym.objects.values_list("word", "others"):
        group = [plain(each) for each in (word, *others)]
        for each in group:
            known = found.setdefault(each, [])
            known += [other for other in group if other != each and other not in known]
    return found


def question(text: str, known: Synonyms) -> Question:
    """Read what was typed; blank for a text that holds no word."""
    terms: list[Term] = []
    pairs: list[str] = []
    for chunk in plain(text).split():
        if is_code(chunk):
            terms.append(_prefix(chunk.replace("-", "/")))
            continue
        for run in runs_of(chunk):
            if is_chinese(run):
                terms += _chinese(run, known)
                pairs += pairs_of(run)
            elif run in known:
                terms.append(_group(run, known[run]))
            else:
                terms.append(_prefix(run))
    return Question(tuple(terms[:TERMS_READ]), tuple(quoted(pair) for pair in pairs[:TERMS_READ]))


def _chinese(run: str, known: Synonyms) -> list[Term]:
    """The words of a stretch: first those that have synonyms, the longest first; then the rest."""
    for length in range(len(run), 1, -1):
        for start in range(len(run) - length + 1):
            word = run[start : start + length]
            if word in known:
                before, after = run[:start], run[start + length :]
                return [
                    *(_chinese(before, known) if len(before) > 1 else []),
                    _group(word, known[word]),
                    *(_chinese(after, known) if len(after) > 1 else []),
                ]
    if len(run) == 1:
        return [_prefix(run)]
    return [_all(_word(tokens), tokens) for tokens in terms_of(run)]


def _word(pairs: Sequence[str]) -> str:
    return pairs[0] + "".join(pair[-1] for pair in pairs[1:])


def _all(typed: str, tokens: Sequence[str]) -> Term:
    escaped = tuple(quoted(token) for token in tokens)
    return Term(typed, (typed,), " & ".join(escaped), escaped)


def _prefix(typed: str) -> Term:
    asked = f"{quoted(typed)}:*"
    return Term(typed, (typed,), asked, (asked,))


def _group(typed: str, others: Sequence[str]) -> Term:
    """Either the word itself or, as a whole, one that means the same."""
    ways = [
        " & ".join(quoted(token) for part in terms_of(word) for token in part)
        for word in (typed, *others)
    ]
    asked = "(" + " | ".join(f"({way})" for way in dict.fromkeys(ways) if way) + ")"
    own = tuple(quoted(token) for part in terms_of(typed) for token in part)
    return Term(typed, (typed, *others), asked, (*own, asked))


def matches(asked: str) -> Func:
    """Return the condition that an entry has what the tsquery asks for; the index answers it."""
    return Func(
        F("words"),
        Value(asked),
        template="(%(expressions)s::tsquery)",
        arg_joiner=" @@ ",
        output_field=BooleanField(),
    )


def rank(ranked: str) -> Func:
    """Return how well an entry answers: words in its name first, then items and themes."""
    return Func(
        Value(ranked),
        template="ts_rank('{0,0,0.3,1}', title, %(expressions)s::tsquery)",
        output_field=FloatField(),
    )


def nearly(text: str) -> Q | None:
    """Return the condition for what was probably mistyped; None for what is too short to tell.

    Same sound (婚因 for 婚姻); one character of a short word wrong; most pairs of a longer one
    there; of pinyin, a slip of the finger or of the ear. Asked only when exact words find little.
    """
    ways = [_near(run) for run in runs_of(text)]
    found = reduce(and_, [way for way in ways if way][:3], Q())
    return found or None


def near_marks(text: str) -> list[str]:
    """Return what is marked of what only comes near: pairs that are right, and the same sound."""
    marks: list[str] = []
    for run in runs_of(text)[:3]:
        if is_chinese(run):
            marks += [*pairs_of(run), initials_of(run)[1]]
        elif _near(run):
            marks += _misspelt(run)
    return marks


def _near(run: str) -> Q:
    """What comes near to one stretch; empty for what is too short, or no word."""
    if is_chinese(run):
        alone = len(run) == 1
        return Q() if alone else _sounds_alike(run) | _one_wrong(run) | _mostly(run)
    if run.isascii() and run.isalpha() and SPELLED <= len(run) <= 3 * SPELLED:
        return Q(matches(" | ".join(f"{quoted(way)}:*" for way in _misspelt(run))))
    return Q()


def _misspelt(run: str) -> list[str]:
    """What may be meant: two letters exchanged, one too many, a sound written as its neighbour."""
    ways = [run[:at] + run[at + 1] + run[at] + run[at + 2 :] for at in range(len(run) - 1)]
    ways += [run[:at] + run[at + 1 :] for at in range(len(run))]
    for short, long in CONFUSED:
        for typed, meant in ((short, long), (long, short)):
            places = [at for at in range(len(run)) if run.startswith(typed, at)]
            ways += [run[:at] + meant + run[at + len(typed) :] for at in places]
    return list(dict.fromkeys([run, *ways]))


def _sounds_alike(run: str) -> Q:
    whole = initials_of(run)[1]
    return Q(matches(f"{quoted(whole)}:*"))


def _one_wrong(run: str) -> Q:
    if not 3 <= len(run) <= 6:
        return Q()
    pairs = " | ".join(quoted(pair) for pair in pairs_of(run))
    pattern = "|".join(f"{run[:place]}.{run[place + 1 :]}" for place in range(len(run)))
    return Q(matches(pairs)) & Q(dataset__name_key__regex=pattern)


def _mostly(run: str) -> Q:
    """Of a long word at least `ALIKE` of its pairs: one of the first ones is among them."""
    pairs = pairs_of(run)
    needed = round(len(pairs) * ALIKE)
    if len(pairs) < 4:
        return Q()
    some = " | ".join(quoted(pair) for pair in pairs[: len(pairs) - needed + 1])
    present: Any = (Cast(matches(quoted(pair)), IntegerField()) for pair in pairs)
    return Q(matches(some)) & Q(GreaterThanOrEqual(reduce(add, present), needed))
