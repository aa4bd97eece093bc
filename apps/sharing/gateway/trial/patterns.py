"""A text that fits a regular expression, the same for the same number."""

import importlib
from typing import Any, Final

# Python's own reader of expressions; it has no public name.
_parser: Final[Any] = importlib.import_module("re._parser")
_FIRST: Final = {"CATEGORY_DIGIT": "0123456789", "CATEGORY_WORD": "abc0123456789"}
_PRINTABLE: Final = [chr(code) for code in range(0x30, 0x7B)]
_MOST_REPEATED: Final = 20


def text_for(pattern: str, number: int) -> str:
    """Return a text that the pattern was made for; whether it fits is for the caller to try."""
    return "".join(_pieces(_parser.parse(pattern), _Digits(number)))


class _Digits:
    """Choices drawn from a number: the last ones of a text turn fastest."""

    def __init__(self, number: int) -> None:
        self.rest = number * 7919 + 104_729

    def choose(self, count: int) -> int:
        self.rest, place = divmod(self.rest, count) if self.rest else (0, 0)
        return place


def _pieces(parsed: Any, digits: _Digits) -> list[str]:
    return [_piece(str(kind), what, digits) for kind, what in parsed]


def _piece(kind: str, what: Any, digits: _Digits) -> str:
    if kind == "LITERAL":
        return chr(what)
    if kind == "ANY":
        return _PRINTABLE[digits.choose(10)]
    if kind in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        least, most, inner = what
        times = max(int(least), min(int(most), int(least) or 1, _MOST_REPEATED))
        return "".join("".join(_pieces(inner, digits)) for _ in range(times))
    if kind == "SUBPATTERN":
        return "".join(_pieces(what[-1], digits))
    if kind == "BRANCH":
        return "".join(_pieces(what[1][digits.choose(len(what[1]))], digits))
    if kind == "IN":
        known = _members(what)
        return known[digits.choose(len(known))]
    return ""  # anchors


def _members(parts: Any) -> list[str]:
    found: list[str] = []
    for kind, what in parts:
        if str(kind) == "NEGATE":
            return [sign for sign in _PRINTABLE if sign not in _members(parts[1:])]
        if str(kind) == "LITERAL":
            found.append(chr(what))
        elif str(kind) == "RANGE":
            found += [chr(code) for code in range(what[0], min(what[1], what[0] + 40) + 1)]
        elif str(kind) == "CATEGORY":
            found += list(_FIRST.get(str(what), "-"))
    return found or ["0"]
