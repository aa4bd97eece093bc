"""Mark in a text what the reader asked for."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from apps.catalog.tokens import cut, spelled

_HAN_RUN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
_TYPED: Final = re.compile(r"[a-z]+")


def highlighted(text: str, marks: Iterable[str], *, around: int | None = None) -> SafeString:
    """Return the text as safe HTML with the marks in `<mark>`; pinyin marks what it spells.

    around: cut a long text to so many characters about the first mark.
    """
    spans = _merged(sorted(_spans(text, [mark for mark in marks if mark])))
    start, end = _window(text, spans, around)
    pieces = list(_pieces(text, spans, start, end))
    lead, trail = "…" if start else "", "…" if end < len(text) else ""
    return format_html("{}{}{}", lead, format_html_join("", "{}", ((p,) for p in pieces)), trail)


def _spans(text: str, marks: list[str]) -> Iterator[tuple[int, int]]:
    lower = text.lower()
    if len(lower) != len(text):  # some letters grow in lower case; places would not agree
        lower = text
    for mark in marks:
        place = lower.find(mark)
        found = False
        while place >= 0:
            found = True
            yield place, place + len(mark)
            place = lower.find(mark, place + len(mark))
        if not found and _TYPED.fullmatch(mark):
            yield from _spelled_out(text, mark)


def _spelled_out(text: str, typed: str) -> Iterator[tuple[int, int]]:
    """Where the initials or the pinyin of words begin with what was typed."""
    for run in _HAN_RUN.finditer(text):
        words = cut(run.group())
        place = run.start()
        for number, word in enumerate(words):
            sounds = [sound for each in words[number:] for sound in spelled(each)]
            length = _reach(sounds, typed)
            if length:
                yield place, place + length
            place += len(word)


def _reach(sounds: list[str], typed: str) -> int:
    """Return how many characters the typed letters stand for, from the first sound on; 0: none."""
    if "".join(sound[0] for sound in sounds).startswith(typed):
        return len(typed)
    spelling = ""
    for number, sound in enumerate(sounds, 1):
        spelling += sound
        if spelling.startswith(typed):
            return number
        if not typed.startswith(spelling):
            return 0
    return 0


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _window(text: str, spans: list[tuple[int, int]], around: int | None) -> tuple[int, int]:
    if around is None or len(text) <= around:
        return 0, len(text)
    first = spans[0][0] if spans else 0
    start = max(0, min(first - around // 4, len(text) - around))
    return start, start + around


def _pieces(text: str, spans: list[tuple[int, int]], start: int, end: int) -> Iterator[str]:
    place = start
    for left, right in spans:
        if right <= start or left >= end:
            continue
        yield text[place : max(left, place)]
        yield format_html("<mark>{}</mark>", text[max(left, place) : min(right, end)])
        place = min(right, end)
    yield text[place:end]
