"""Which entries a free text is about: what a demand could be met by."""

from dataclasses import dataclass
from math import log
from typing import Final

from django.db import connection
from django.db.models import QuerySet

from apps.catalog.models import Dataset, SearchEntry
from apps.catalog.tokens import cut, is_chinese, quoted, runs_of

WORDS_READ: Final = 60
"""Words of the text that are compared; a longer text adds nothing."""

_ELSEWHERE: Final = 0.4
"""What a word counts outside name, items and themes, against one in them."""


@dataclass(frozen=True)
class Similar:
    """An entry like the text; score: 0–1, the share of what the text says that it has."""

    dataset: Dataset
    score: float
    words: tuple[str, ...]


def similar_to(text: str, *, visible: QuerySet[Dataset], limit: int = 10) -> list[Similar]:
    """Return the entries that are most like the text, best first, with the words they share.

    Rare words weigh more than those that most entries have. Three statements, however many entries
    there are. Fetches `department` along.

    visible: the entries that may be proposed, as `visible_to` gives them.
    """
    words = _words(text)
    weights = _weights(words)
    if not weights:
        return []
    rows = _rows(weights, visible, limit)
    found = visible.select_related("department").in_bulk([key for key, _score, _words in rows])
    whole = sum(weights.values())
    return [
        Similar(found[key], min(1.0, round(score / whole, 4)), tuple(words))
        for key, score, words in rows
        if key in found
    ]


def _words(text: str) -> list[str]:
    """The words of the text, each once; single Chinese characters say too little."""
    words = (
        word
        for run in runs_of(text)
        for word in (cut(run) if is_chinese(run) else [run])
        if len(word) > 1
    )
    return list(dict.fromkeys(words))[:WORDS_READ]


def _weights(words: list[str]) -> dict[str, float]:
    """Return of each word that some entry has how rare it is (idf)."""
    if not words:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT word, (SELECT count(*) FROM catalog_searchentry WHERE words @@ query::tsquery)"
            " FROM unnest(%s::text[], %s::text[]) AS asked(word, query)",
            [words, [quoted(word) for word in words]],
        )
        counts: dict[str, int] = dict(cursor.fetchall())
    total = SearchEntry.objects.count()
    return {word: log(1 + total / count) for word, count in counts.items() if count}


def _rows(
    weights: dict[str, float], visible: QuerySet[Dataset], limit: int
) -> list[tuple[int, float, list[str]]]:
    chosen, parameters = visible.order_by().values("pk").query.sql_with_params()
    statement = f"""
        SELECT dataset_id,
               sum(weight * CASE WHEN title @@ query::tsquery THEN 1 ELSE %s END)::float8 AS score,
               array_agg(word ORDER BY weight DESC)
        FROM unnest(%s::text[], %s::text[], %s::float8[]) AS asked(word, query, weight)
        JOIN catalog_searchentry ON words @@ query::tsquery
        WHERE dataset_id IN ({chosen})
        GROUP BY dataset_id ORDER BY score DESC, dataset_id DESC LIMIT %s
        """  # noqa: S608 the only part put in is Django's own query
    words = list(weights)
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            [
                _ELSEWHERE,
                words,
                [quoted(word) for word in words],
                list(weights.values()),
                *parameters,
                limit,
            ],
        )
        rows: list[tuple[int, float, list[str]]] = cursor.fetchall()
    return rows
