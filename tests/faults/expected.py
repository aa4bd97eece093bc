"""What a load must do to a table, reckoned from its file; nothing of the portal's code is used."""

import random
from dataclasses import dataclass, field
from typing import Any

HEADER = "serial,name,amount,happened_on\n"
Row = tuple[str, str, str]
_COUNTS = ("landed", "changed", "unchanged", "duplicate", "rejected", "deleted")


@dataclass
class Load:
    """A file with what must come of it. counts: the balance without `declared`."""

    mode: str
    content: bytes
    declared: int
    after: dict[str, Row]
    counts: dict[str, int]

    def differs(self, answer: dict[str, Any]) -> str:
        """Say what of the batch's end is not as it must be; nothing where all is."""
        if answer["status"] != "landed":
            return f"ended as {answer['status']}: {answer['message']}"
        balance = {name: answer["balance"][name] for name in (*_COUNTS, "declared")}
        wanted = {**self.counts, "declared": self.declared}
        return "" if balance == wanted else f"balance {balance}, must be {wanted}"


@dataclass
class Table:
    """The rows as they must stand. past: how many versions were superseded or deleted so far."""

    size: int
    rows: dict[str, Row] = field(default_factory=dict)
    past: int = 0
    loads: int = 0
    wrong: list[str] = field(default_factory=list)
    _next: int = 0

    def draw(self, fate: random.Random) -> Load:
        """Make the next load: of any mode once the table is filled."""
        mode = fate.choice(("append", "upsert", "upsert", "snapshot", "delete"))
        if not self.rows:
            mode = "upsert"
        if mode == "delete":
            return self._deletion(fate)
        return self._delivery(mode, fate)

    def keep(self, load: Load, fault: str) -> None:
        """Take what the load must have done as the table's state."""
        self.loads += 1
        if fault:
            self.wrong.append(f"load {self.loads}: {fault}")
        self.rows = load.after
        self.past += load.counts["changed"] if load.mode == "upsert" else 0
        self.past += load.counts["deleted"]
        if load.mode == "snapshot":
            self.past += load.counts["changed"]

    def compare(self, found: dict[str, Any]) -> list[str]:
        """Return in words how the database differs from what it must hold."""
        wrong = list(self.wrong)
        for name, wanted in (
            ("digest", digest(self.rows)),
            ("rows", len(self.rows)),
            ("past", self.past),
            ("row_count", len(self.rows)),
            ("landed_batches", self.loads),
            ("open_batches", 0),
            ("doubled_ids", 0),
        ):
            if found[name] != wanted:
                wrong.append(f"{name}: {found[name]}, must be {wanted}")
        return wrong

    def _new_row(self, fate: random.Random) -> tuple[str, Row]:
        self._next += 1
        return f"P{self._next:08d}", self._values(fate)

    def _values(self, fate: random.Random) -> Row:
        amount = f"{fate.randrange(10**6) / 100:.2f}"
        return f"名{fate.randrange(10**6)}", amount, f"2026-{fate.randint(1, 12):02d}-15"

    def _delivery(self, mode: str, fate: random.Random) -> Load:
        known = sorted(self.rows)
        chosen = fate.sample(known, k=min(len(known), self.size // 2))
        fresh = dict(self._new_row(fate) for _place in range(max(1, self.size - len(chosen))))
        changed = {key: self._values(fate) for key in chosen[: len(chosen) // 3]}
        changed = {key: row for key, row in changed.items() if row != self.rows[key]}
        same = {key: self.rows[key] for key in chosen if key not in changed}
        doubled = fate.sample(sorted(fresh), k=min(len(fresh), self.size // 100))
        lines = [_line(key, self._values(fate)) for key in doubled]
        good = [_line(key, row) for key, row in {**fresh, **changed, **same}.items()]
        fate.shuffle(good)
        bad = [f"X{place},坏,一百,2026-13-01\n" for place in range(self.size // 100)]
        text = HEADER + "".join([*lines, *bad, *good])
        counts = dict.fromkeys(_COUNTS, 0) | {
            "landed": len(fresh),
            "changed": len(changed),
            "unchanged": len(same),
            "duplicate": len(doubled),
            "rejected": len(bad),
        }
        after = {**self.rows, **fresh, **changed}
        if mode == "snapshot":
            counts["deleted"] = len(self.rows) - len(chosen)
            after = {**fresh, **changed, **same}
        elif mode == "append":
            counts |= {"changed": 0, "rejected": len(bad) + len(changed)}
            after = {**self.rows, **fresh}
        declared = len(lines) + len(bad) + len(good)
        return Load(mode, text.encode(), declared, after, counts)

    def _deletion(self, fate: random.Random) -> Load:
        gone = fate.sample(sorted(self.rows), k=max(1, len(self.rows) // 4))
        strange = [f"P9{place:07d}" for place in range(10)]
        text = "serial\n" + "".join(f"{key}\n" for key in [*gone, *strange])
        counts = dict.fromkeys(_COUNTS, 0) | {
            "changed": len(gone),
            "unchanged": len(strange),
            "deleted": len(gone),
        }
        leaving = set(gone)
        after = {key: row for key, row in self.rows.items() if key not in leaving}
        return Load("delete", text.encode(), len(gone) + len(strange), after, counts)


def _line(key: str, row: Row) -> str:
    return f"{key},{','.join(row)}\n"


def digest(rows: dict[str, Row]) -> str:
    """Return one hash of all rows in the order of their keys."""
    import hashlib

    found = hashlib.sha256()
    for key in sorted(rows):
        found.update(_line(key, rows[key]).encode())
    return found.hexdigest()
