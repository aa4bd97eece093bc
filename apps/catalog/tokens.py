"""The words by which an entry is found: Chinese cut into words and pairs of characters, and pinyin.

Pure: no table is read. What the index is made of and what a reader types go through the same
functions, so that the two cannot disagree. The dictionaries are loaded with the first word that
needs one: they take 60 MB and most of a second, and most processes never look.

Source: house rule (design §10, Chinese search on plain PostgreSQL)
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby, pairwise
from typing import Final

LONGEST: Final = 60
"""Characters of the longest token; what is longer is no word."""

_HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3007"
_RUNS: Final = re.compile(rf"[{_HAN}]+|[a-z0-9_]+|[^\W{_HAN}a-z0-9_]+")
_IS_HAN: Final = re.compile(rf"[{_HAN}]")
_CODE: Final = re.compile(r"[123]\d{2,}[/-]\d*")
# Words that are in no dictionary are not guessed at: the same word is cut alike everywhere.
_GUESSES: Final = False
# Single characters that join others and say nothing themselves.
_JOINERS: Final = frozenset("的和与及或等之其在由为是把对从按被并且")


def plain(text: str) -> str:
    """Return the text in one width and case, white space made single: NFKC, lower case."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower())
    sound = folded.replace("\0", " ").encode("utf-8", "ignore").decode()
    return " ".join(sound.split())


def runs_of(text: str) -> list[str]:
    """Return the stretches of Chinese characters and of letters and digits, in order."""
    return [run[:LONGEST] for run in _RUNS.findall(plain(text))]


def is_chinese(run: str) -> bool:
    return bool(_IS_HAN.match(run))


def cut(run: str) -> list[str]:
    """Return a stretch of Chinese as the words that it is made of, one after another."""
    import rjieba

    return list(rjieba.cut(run, _GUESSES))


def pairs_of(run: str) -> list[str]:
    """Return every two neighbouring characters of a stretch."""
    return [left + right for left, right in pairwise(run)]


def words_of(text: str) -> list[str]:
    """Return what the text is found by, each once, in order: words, pairs, Latin words, numbers.

    A single Chinese character is a word only where it stands alone.
    """
    return list(dict.fromkeys(_words(text)))


def _words(text: str) -> Iterator[str]:
    import rjieba

    for run in runs_of(text):
        if not is_chinese(run) or len(run) == 1:
            yield run
        else:
            yield from (word for word in rjieba.cut_for_search(run, _GUESSES) if len(word) > 1)
            yield from pairs_of(run)


def terms_of(text: str) -> list[list[str]]:
    """Return what a reader asks for: per word of his, the tokens that must all be there.

    A word of two characters is itself; a longer one its pairs of characters, which an entry has
    exactly if it has the word, wherever the entry was cut. A character that stands alone between
    words goes with its neighbour; joining ones (的, 和 …) are left out.
    """
    found: dict[str, list[str]] = {}
    for run in runs_of(text):
        if not is_chinese(run) or len(run) == 1:
            found[run] = [run]
            continue
        for word in _joined(cut(run)):
            found[word] = [word] if len(word) < 3 else pairs_of(word)
    return list(found.values())


def _joined(words: list[str]) -> list[str]:
    """Return the words with single characters joined to the word before, or else after them."""
    joined: list[str] = []
    for is_joiner, between in groupby(words, _JOINERS.__contains__):
        group: list[str] = []
        for word in [] if is_joiner else between:
            if group and (len(word) == 1 or len(group[-1]) == 1):
                group[-1] += word
            else:
                group.append(word)
        joined += [word for word in group if len(word) > 1]
    return joined or ["".join(words)]


def initials_of(text: str) -> list[str]:
    """Return the pinyin of the text as readers type it, each once: 困境儿童 → kjet, kunjingertong.

    From every word on to the end, so that 儿童 (et, ertong) is found in it by its beginning.
    """
    tokens: dict[str, None] = {}
    for run in runs_of(text):
        if not is_chinese(run):
            continue
        words = [spelled(word) for word in cut(run)]
        for start in range(len(words)):
            sounds = [sound for word in words[start:] for sound in word]
            tokens["".join(sound[0] for sound in sounds)[:LONGEST]] = None
            tokens["".join(sounds)[:LONGEST]] = None
    return list(tokens)


def pinyin_of(text: str) -> str:
    """Return the text with its Chinese spelled out, for sorting: 困境儿童 → kun jing er tong."""
    return " ".join(
        " ".join(sound for word in cut(run) for sound in spelled(word)) if is_chinese(run) else run
        for run in runs_of(text)
    )


@lru_cache(maxsize=50_000)
def spelled(word: str) -> tuple[str, ...]:
    """Return the syllables of a Chinese word without tones; unknown characters as themselves."""
    from pypinyin import lazy_pinyin

    sounds = (sound.replace("ü", "v").lower() for sound in lazy_pinyin(word))
    return tuple(sound for sound in sounds if sound.strip())


def is_code(text: str) -> bool:
    """Say whether the text is the beginning of a catalogue code: 307001/, 307001-0000."""
    return bool(_CODE.fullmatch(plain(text)))


def vector(*weighted: tuple[str, Iterable[str]]) -> str:
    """Return a tsvector of the configuration `simple`, as text, from tokens by weight A to D.

    A token that comes under several weights has the heaviest.
    """
    weights: dict[str, str] = {}
    for weight, tokens in weighted:
        for token in tokens:
            if token and weight < weights.get(token, "E"):
                weights[token] = weight
    return " ".join(f"{quoted(token)}:1{weight}" for token, weight in weights.items())


def quoted(token: str) -> str:
    """Return the token as it stands inside the text of a tsvector or tsquery."""
    escaped = token.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
