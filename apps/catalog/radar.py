"""Find entries of different departments that seem to hold the same data, with the evidence.

Common things say little: an identity number or an update time is everywhere. So words of names and
items weigh by how rare they are, and both the topic and the items must be alike.

Pure but for `read`, which takes all entries in force in two statements. Linear in what rare words
of names bring together, not in the number of pairs.

Source: 《政务数据共享条例》第十九条（一数一源）; weights and thresholds: house rule
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import md5
from itertools import combinations
from math import log
from typing import Any, Final

from apps.catalog.models import DataItem, Dataset
from apps.catalog.surroundings import significant
from apps.catalog.tokens import cut, is_chinese, runs_of

TOPIC_ALIKE: Final = 0.8
"""The share of the shorter name's topic, by weight, that the other name must have too."""

ITEMS_ALIKE: Final = 0.8
"""The share of the smaller entry's items, by weight, that the other must have too."""

COMMON_RATIO: Final = 0.02
COMMON_AT_LEAST: Final = 20
"""A word in more names than this (ratio, or number in a small catalogue) names no topic."""

TELLING: Final = 8
"""A definition of so many letters says what an item is, whatever its name."""

SHOWN: Final = 40
"""Matching items that the evidence keeps, the weightiest first."""


@dataclass(frozen=True, slots=True)
class Item:
    """name as written; plain: what distinguishes it; key: the data element, else the plain name."""

    name: str
    plain: str
    key: str
    code_list: int | None
    definition: str


@dataclass(frozen=True, slots=True)
class Entry:
    key: int
    department: int
    words: frozenset[str]
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two entries alike; scores 0–100; `first` has the smaller key."""

    first: int
    second: int
    name_score: int
    item_score: int
    evidence: dict[str, Any]

    @property
    def score(self) -> int:
        return (self.name_score + self.item_score) // 2

    @property
    def fingerprint(self) -> str:
        """Changes when other items match than before, or other words; not when rarity shifts."""
        matched = sorted((i["first"], i["second"], i["how"]) for i in self.evidence["items"])
        seen = repr((matched, sorted(self.evidence["words"])))
        return md5(seen.encode(), usedforsecurity=False).hexdigest()


def read() -> list[Entry]:
    """Return all entries in force with their items. Two statements."""
    items: dict[int, list[Item]] = defaultdict(list)
    rows = DataItem.objects.filter(dataset__in=Dataset.objects.published()).order_by("position")
    for dataset, name, element, code_list, definition in rows.values_list(
        "dataset_id", "name", "data_element_id", "code_list_id", "description"
    ):
        plain = significant(name)
        key = f"#{element}" if element else plain
        items[dataset].append(Item(name, plain, key, code_list, significant(definition)))
    return [
        Entry(key, department, frozenset(_words(name)), tuple(items[key]))
        for key, department, name in Dataset.objects.published().values_list(
            "pk", "department_id", "name"
        )
    ]


def _words(name: str) -> Iterator[str]:
    for run in runs_of(name):
        yield from cut(run) if is_chinese(run) else [run]


def pairs(entries: Sequence[Entry]) -> list[Pair]:
    """Return the pairs of different departments that are alike in topic and in items."""
    words = _rarity(entry.words for entry in entries)
    items = _rarity({item.key for item in entry.items} for entry in entries)
    topics = _topics(entries, words)
    by_key = {entry.key: entry for entry in entries}
    found = []
    for (one, other), shared in _near(entries, topics, words).items():
        sizes = [_weight(topics[key], words) for key in (one, other)]
        if shared < TOPIC_ALIKE * min(sizes):
            continue
        ratio = (shared / min(sizes) + shared / max(sizes)) / 2
        pair = _compare(by_key[one], by_key[other], ratio, words, items)
        if pair is not None:
            found.append(pair)
    return sorted(found, key=lambda pair: (-pair.score, pair.first, pair.second))


def _topics(entries: Sequence[Entry], rarity: Mapping[str, float]) -> dict[int, frozenset[str]]:
    """Return what each name is about: its words without those that most names have."""
    most = max(COMMON_AT_LEAST, COMMON_RATIO * len(entries))
    least = log((1 + len(entries)) / most)
    return {
        entry.key: frozenset(word for word in entry.words if rarity[word] >= least)
        for entry in entries
    }


def _rarity(sets: Iterable[Iterable[str]]) -> dict[str, float]:
    """Return of each thing how rare it is among the entries: 0 for what all have (idf)."""
    counted: Counter[str] = Counter()
    total = 0
    for each in sets:
        counted.update(each)
        total += 1
    return {name: log((1 + total) / count) for name, count in counted.items()}


def _weight(names: Iterable[str], rarity: Mapping[str, float]) -> float:
    return sum(rarity[name] for name in names) or 1.0


def _near(
    entries: Sequence[Entry], topics: Mapping[int, frozenset[str]], rarity: Mapping[str, float]
) -> dict[tuple[int, int], float]:
    """Return, per pair of different departments, the weight of what both names are about."""
    postings: dict[str, list[Entry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: entry.key):
        for word in topics[entry.key]:
            postings[word].append(entry)
    near: dict[tuple[int, int], float] = defaultdict(float)
    for word, having in postings.items():
        for first, second in combinations(having, 2):
            if first.department != second.department:
                near[first.key, second.key] += rarity[word]
    return near


def _compare(
    first: Entry,
    second: Entry,
    name_ratio: float,
    words: Mapping[str, float],
    items: Mapping[str, float],
) -> Pair | None:
    matched = _matched(first, second, items)
    common = sum(weight for _one, _other, _how, weight in matched)
    smaller = min(
        _weight({item.key for item in first.items}, items),
        _weight({item.key for item in second.items}, items),
    )
    item_ratio = min(1.0, common / smaller)
    if item_ratio < ITEMS_ALIKE or len(matched) < 2:
        return None
    evidence = {
        "items": [
            {"first": one.name, "second": other.name, "how": how, "weight": round(weight, 2)}
            for one, other, how, weight in matched[:SHOWN]
        ],
        "words": sorted(first.words & second.words, key=lambda word: (-words[word], word)),
        "first_only": len(first.items) - len(matched),
        "second_only": len(second.items) - len(matched),
    }
    return Pair(first.key, second.key, round(100 * name_ratio), round(100 * item_ratio), evidence)


def _matched(
    first: Entry, second: Entry, rarity: Mapping[str, float]
) -> list[tuple[Item, Item, str, float]]:
    """Return the items that both have, and by what they are alike, the rarest first."""
    by_key = {item.key: item for item in second.items}
    matched = [
        (item, by_key[item.key], _how(item, by_key[item.key]), rarity[item.key])
        for item in first.items
        if item.key in by_key
    ]
    taken = {id(item) for one, other, *_rest in matched for item in (one, other)}
    for alike in (_by_name, _by_content):
        for one in first.items:
            for other in second.items:
                how = "" if {id(one), id(other)} & taken else alike(one, other)
                if how:
                    taken |= {id(one), id(other)}
                    weight = min(rarity[one.key], rarity[other.key])
                    matched.append((one, other, how, weight))
    return sorted(matched, key=lambda match: (-match[3], match[0].name))


def _by_name(one: Item, other: Item) -> str:
    """Of one name, where only one department says to which data element it belongs."""
    if one.plain != other.plain or (one.key.startswith("#") and other.key.startswith("#")):
        return ""
    return _how(one, other)


def _by_content(one: Item, other: Item) -> str:
    """Called otherwise, yet of one code list and nearly one name, or defined in the same words."""
    near = one.plain in other.plain or other.plain in one.plain
    if near and one.code_list and one.code_list == other.code_list:
        return "code_list"
    if one.definition == other.definition and len(one.definition) >= TELLING:
        return "definition"
    return ""


def _how(one: Item, other: Item) -> str:
    if one.key.startswith("#") and one.key == other.key:
        return "data_element"
    if one.code_list and one.code_list == other.code_list:
        return "name_and_code_list"
    if one.definition and one.definition == other.definition:
        return "name_and_definition"
    return "name"
