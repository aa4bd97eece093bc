"""A file sent again, landed by the lines in which it differs from the one sent before.

The table holds what the earlier file said, so a key that both name is judged by its new line alone,
and a key of which only the earlier file knows is gone. Numbers, reasons and counts are those of the
whole file, as if all of it had been read.
"""

# ruff: noqa: S608 -- names and literals are quoted by `rules`; no SQL comes from a user

from dataclasses import replace
from pathlib import Path

from apps.warehouse.landing import rules
from apps.warehouse.landing.arrivals import Arrivals, Comparison
from apps.warehouse.landing.difference import Difference
from apps.warehouse.landing.reader import Reader
from apps.warehouse.landing.rules import literal
from apps.warehouse.landing.survey import Survey


class NotTold(Exception):
    """The lines that differ do not tell what becomes of a row."""


class Resent(Arrivals):
    """Arrivals of the lines that only the newer file has; `survey` is that of the whole file.

    reader: of `difference.ahead`. whole: what the lines were taken from.
    """

    def __init__(self, reader: Reader, whole: Arrivals, difference: Difference) -> None:
        super().__init__(
            reader,
            whole.contract,
            column_order=whole.column_order,
            earlier_types=whole.earlier_types,
            added=whole.added,
        )
        self._whole = whole.survey
        self._difference = difference
        behind = rules.typed_select(self.contract, reader.source(path=difference.behind))
        self.reader.execute(
            f"CREATE TABLE behind AS SELECT {self._key_values} FROM ({behind}) AS typed"
        )

    @property
    def survey(self) -> Survey:
        return self._whole

    def write_keys(self, path: Path) -> None:
        """Write every key that a line names which only one of the files has."""
        names = ", ".join(self._keys)
        self.reader.execute(
            f"COPY (SELECT {names} FROM last UNION SELECT {names} FROM behind)"
            f" TO {literal(str(path))} (FORMAT csv, HEADER false)"
        )

    def compare(self, present: Path) -> Comparison:
        """Compare the lines that differ with the table's keys; the others are the same.

        Raises:
            NotTold: the table has a key whose line did not differ, or that no file named.
        """
        found = super().compare(present)
        unknown = self.reader.value(
            f"SELECT count(*) FROM present ANTI JOIN behind"
            f" ON {self._same_key('present', 'behind')}"
        )
        if unknown:
            raise NotTold
        return replace(found, same=found.same + self._difference.same)

    def record_number(self, rank: int) -> int:
        """Return the record's number in the whole file."""
        return self._difference.numbers[super().record_number(rank) - 1]

    def _note_unreadable(self) -> None:
        super()._note_unreadable()
        self.unreadable = [
            replace(record, number=self._difference.numbers[record.number - 1])
            for record in self.unreadable
        ]
