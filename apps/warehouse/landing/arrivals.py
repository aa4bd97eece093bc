"""The rows of one file inside DuckDB: which are sound, which are doubled, which are new.

Two ways lead to the table. Into an empty one sound rows stream at once, and what went wrong is
looked up afterwards only if the numbers say that something did. Otherwise keys and hashes are
taken first, compared with those of the table, and only what differs is read again and sent.
"""

# ruff: noqa: S608 -- names and literals are quoted by `rules`; no SQL comes from a user

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from apps.core.contracts import Contract
from apps.standards.types import duckdb_type
from apps.warehouse.landing import rewriting, rules
from apps.warehouse.landing.reader import Reader, Unreadable
from apps.warehouse.landing.rewriting import Rewritten
from apps.warehouse.landing.rules import literal, quoted
from apps.warehouse.landing.survey import Survey

Write = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many distinct keys of the file are new to the table, differ, or are the same; how many
    records repeat a later one of the file."""

    new: int
    changed: int
    same: int
    duplicate: int


class Arrivals:
    """What arrived in one file, for one table.

    column_order, earlier_types: the table's item columns as they were made, for `_hash`.
    only_key: the file names rows to delete, so nothing but its key columns is looked at.
    added: rules beyond the contract's.
    """

    def __init__(
        self,
        reader: Reader,
        contract: Contract,
        *,
        column_order: Sequence[str],
        earlier_types: Mapping[str, Sequence[str]] | None = None,
        only_key: bool = False,
        added: Sequence[rules.Rule] = (),
    ) -> None:
        self.reader = reader
        self.contract = contract
        self.column_order = column_order
        self.earlier_types = earlier_types
        self.added = added
        self.rules = [*rules.rules_of(contract, only_key=only_key), *added]
        self.unreadable: list[Unreadable] = []
        self._only_key = only_key
        self._shifts: list[int] = []
        self._sound = rules.sound(self.rules)
        key = [contract.column(name) for name in contract.key]
        self._key_types = ["VARCHAR", *(duckdb_type(column) for column in key[1:])]
        self._keys = [f"k{place}" for place in range(len(key))]
        self._key_values = ", ".join(
            f"CAST({rules.value_of(column)} AS {kind}) AS {name}"
            for column, kind, name in zip(key, self._key_types, self._keys, strict=True)
        )

    @property
    def survey(self) -> Survey:
        return self.reader.survey

    # Into an empty table

    def stream_sound(self, horizon: int, write: Write) -> None:
        """Write the sound rows of which normalising changed nothing, in no particular order.

        Most files have no others, and then nothing needs to be looked for.
        """
        self._stream_sound(horizon, write, is_rewritten=False)
        self._note_unreadable()

    def stream_rewritten(self, horizon: int, write: Write) -> None:
        """Write the sound rows of which normalising changed something."""
        self._stream_sound(horizon, write, is_rewritten=True)

    def collect_unsound(self, streamed: int) -> int:
        """Keep the rows that broke a rule, after the sound ones were streamed; return how many.

        Raises:
            Refusal: reader and survey disagree on the number of records.
        """
        readable = self.survey.record_count - len(self.unreadable)
        self._make_unsound()
        if streamed == readable:
            return 0
        texts = ", ".join(quoted(name) for name in self.reader.columns)
        typed = rules.typed_select(
            self.contract, self.reader.source(ranked=True), carried=f"rank, {texts}, "
        )
        self.reader.execute(
            f"INSERT INTO unsound SELECT rank, {texts} FROM ({typed}) AS typed"
            f" WHERE NOT ({self._sound})"
        )
        unsound = int(self.reader.value("SELECT count(*) FROM unsound"))
        self.reader.require_all_read(streamed + unsound, len(self.unreadable))
        return unsound

    def take_sound_keys(self) -> None:
        """Take the keys after all, when the table proved to hold one twice."""
        self.reader.execute(
            f"CREATE TABLE arrivals AS SELECT rank, {self._key_values},"
            f" {self._hash()} AS hash, true AS is_sound"
            f" FROM ({self._typed(ranked=True)}) AS typed WHERE {self._sound}"
        )
        self._find_last()

    def write_repeated_keys(self, path: Path) -> int:
        """Write key and hash of the last record of each repeated key; return how many repeat."""
        self.reader.execute(
            f"COPY (SELECT {', '.join(self._keys)}, hash FROM last WHERE times > 1)"
            f" TO {literal(str(path))} (FORMAT csv, HEADER false)"
        )
        return self._duplicates()

    def _stream_sound(self, horizon: int, write: Write, *, is_rewritten: bool) -> None:
        """Write rows with `_batch` and `_hash` as CSV."""
        source = self.reader.source(keeping_rejects=not is_rewritten)
        typed = rules.typed_select(self.contract, source, is_rewritten=is_rewritten)
        self.reader.stream(
            f"SELECT {self._values(horizon)} FROM ({typed}) AS typed WHERE {self._sound}", write
        )

    # Into a table that has rows, or from a file with damaged records

    def take(self) -> int:
        """Take rank, key, hash and soundness of every readable row; return the unsound ones.

        Raises:
            Refusal: reader and survey disagree on the number of records.
        """
        hashed = "0" if self._only_key else self._hash()
        self.reader.execute(
            f"CREATE TABLE arrivals AS SELECT rank, {self._key_values},"
            f" {hashed} AS hash, {self._sound} AS is_sound"
            f" FROM ({self._typed(ranked=True, keeping_rejects=True)}) AS typed"
        )
        self._note_unreadable()
        accepted = int(self.reader.value("SELECT count(*) FROM arrivals"))
        self.reader.require_all_read(accepted, len(self.unreadable))
        self._condemn_faulty()
        self._find_last()
        return int(self.reader.value("SELECT count(*) FROM arrivals WHERE NOT is_sound"))

    def keep_unsound(self, unsound: int) -> None:
        """Keep the text of the rows found unsound by `take`, which said how many."""
        self._make_unsound()
        if not unsound:
            return
        self.reader.execute(
            f"INSERT INTO unsound SELECT source.* FROM {self.reader.source(ranked=True)} AS source"
            " JOIN arrivals USING (rank) WHERE NOT is_sound"
        )

    def quarantined(self) -> int:
        """Count the kept unsound rows that break nothing but quarantine rules."""
        if not any(rule.is_quarantine for rule in self.rules):
            return 0
        firm = rules.sound([rule for rule in self.rules if not rule.is_quarantine])
        typed = rules.typed_select(self.contract, "unsound", carried="rank, ")
        faulty = ", ".join(str(rank) for rank in self._faulty_ranks()) or "-1"
        return int(
            self.reader.value(
                f"SELECT count(*) FROM ({typed}) AS typed WHERE {firm} AND rank NOT IN ({faulty})"
            )
        )

    def write_keys(self, path: Path) -> None:
        """Write the sound keys of the file, for the table to look up."""
        self.reader.execute(
            f"COPY (SELECT {', '.join(self._keys)} FROM last)"
            f" TO {literal(str(path))} (FORMAT csv, HEADER false)"
        )

    def compare(self, present: Path) -> Comparison:
        """Compare with the table's keys: a CSV of key columns, `_hash`, `_id` without header."""
        kinds = [*self._key_types, "BIGINT", "BIGINT"]
        columns = ", ".join(
            f"{literal(name)}: {literal(kind)}"
            for name, kind in zip([*self._keys, "old_hash", "row_id"], kinds, strict=True)
        )
        self.reader.execute(
            "CREATE TABLE present AS SELECT * FROM"
            f" read_csv({literal(str(present))}, columns = {{{columns}}}, auto_detect = false,"
            " header = false, delim = ',', quote = '\"', escape = '\"', new_line = '\\n',"
            f" parallel = false)"
        )
        self.reader.execute(
            "CREATE TABLE plan AS SELECT last.rank, last.k0 AS subject, present.row_id,"
            " CASE WHEN row_id IS NULL THEN 'new' WHEN hash = old_hash THEN 'same'"
            " ELSE 'changed' END AS action"
            f" FROM last LEFT JOIN present ON {self._same_key('last', 'present')}"
        )
        counts = dict(
            self.reader.execute("SELECT action, count(*) FROM plan GROUP BY 1").fetchall()
        )
        return Comparison(
            new=counts.get("new", 0),
            changed=counts.get("changed", 0),
            same=counts.get("same", 0),
            duplicate=self._duplicates(),
        )

    def missing(self) -> int:
        """Count the table's keys that the file lacks, after `compare`."""
        return int(self.reader.value(f"SELECT count(*) FROM ({self._missing()})"))

    def refuse_changed(self) -> None:
        """Count rows whose key the table already has with other content as rejected."""
        self.reader.execute("CREATE TABLE taken AS SELECT rank FROM plan WHERE action = 'changed'")

    def stream_new(self, horizon: int, write: Write) -> None:
        """Write the rows whose key is new to the table, with `_batch` and `_hash`."""
        self._stream_planned("new", self._values(horizon), write)

    def stream_changed(self, horizon: int, write: Write) -> None:
        """Write `_id` before the rows whose key is there with other content."""
        self._stream_planned("changed", f"row_id, {self._values(horizon)}", write)

    def stream_found(self, write: Write) -> None:
        """Write subject and `_id` of the rows whose key the file names."""
        self.reader.stream("SELECT subject, row_id FROM plan WHERE row_id IS NOT NULL", write)

    def stream_missing(self, write: Write) -> None:
        """Write subject and `_id` of the table's rows that the file lacks."""
        self.reader.stream(self._missing(), write)

    # What normalising changed

    def rewritten(self) -> list[Rewritten]:
        """Return what was rewritten of the readable records; may run beside everything else."""
        names = rewriting.columns_of(self.contract, only_key=self._only_key)
        return rewriting.rewritten(self.reader, rewriting.touched(self.reader, names))

    def count_unreadable(self) -> None:
        """Read the file for what cannot be read, so that ranks can be told as record numbers."""
        # Every column is asked for: of a record that lacks one the reader says so only then.
        names = ", ".join(quoted(name) for name in self.reader.columns)
        scan = self.reader.source(keeping_rejects=True)
        self.reader.execute(f"SELECT count(hash({names})) FROM {scan}").fetchall()
        self._note_unreadable()

    # What did not land

    def record_number(self, rank: int) -> int:
        """Return the record's number in the file; ranks count only what the reader accepted."""
        return rank + bisect_right(self._shifts, rank)

    def broken(self) -> Iterator[tuple[int, list[int], tuple[str | None, ...]]]:
        """Yield, by record number, the broken rules' places and the row's text."""
        names = self.reader.columns
        texts = ", ".join(quoted(name) for name in names)
        typed = rules.typed_select(
            self.contract, "unsound", only_key=self._only_key, carried=f"rank, {texts}, "
        )
        places = rules.broken_rules(self.rules)
        statement = f"SELECT rank, {places}, {texts} FROM ({typed}) AS typed ORDER BY rank"
        for rank, broken, *values in self.reader.rows(statement):
            yield self.record_number(rank), broken, tuple(values)

    def repeated(self) -> Iterator[int]:
        """Yield the numbers of records that differ from a later one of the same key."""
        if not self._has_table("arrivals") or not self._duplicates():
            return
        statement = (
            "SELECT arrivals.rank FROM arrivals"
            f" JOIN last ON {self._same_key('arrivals', 'last')}"
            " WHERE arrivals.is_sound AND last.times > 1 AND arrivals.hash <> last.hash"
            " ORDER BY 1"
        )
        for (rank,) in self.reader.rows(statement):
            yield self.record_number(rank)

    def already_there(self) -> Iterator[int]:
        """Yield the numbers of records that `refuse_changed` set aside."""
        if self._has_table("taken"):
            for (rank,) in self.reader.rows("SELECT rank FROM taken ORDER BY 1"):
                yield self.record_number(rank)

    # SQL

    def _typed(self, *, ranked: bool = False, keeping_rejects: bool = False) -> str:
        return rules.typed_select(
            self.contract,
            self.reader.source(ranked=ranked, keeping_rejects=keeping_rejects),
            only_key=self._only_key,
            carried="rank, " if ranked else "",
        )

    def _make_unsound(self) -> None:
        texts = ", ".join(f"{quoted(name)} VARCHAR" for name in self.reader.columns)
        self.reader.execute(f"CREATE TABLE unsound (rank BIGINT, {texts})")

    def _values(self, horizon: int) -> str:
        return f"{rules.values(self.contract)}, {horizon} AS _batch, {self._hash()} AS _hash"

    def _hash(self) -> str:
        return rules.row_hash(self.contract, self.column_order, self.earlier_types)

    def _same_key(self, left: str, right: str) -> str:
        return " AND ".join(
            f"{left}.{name} IS NOT DISTINCT FROM {right}.{name}" for name in self._keys
        )

    def _missing(self) -> str:
        # A row of the file that is unsound still says that its key is not gone.
        return (
            "SELECT k0, row_id FROM present ANTI JOIN arrivals"
            f" ON {self._same_key('present', 'arrivals')}"
        )

    def _stream_planned(self, action: str, values: str, write: Write) -> None:
        typed = rules.typed_select(
            self.contract,
            f"(SELECT source.*, row_id FROM {self.reader.source(ranked=True)} AS source"
            f" JOIN plan USING (rank) WHERE action = {literal(action)}) AS wanted",
            carried="row_id, ",
        )
        self.reader.stream(f"SELECT {values} FROM ({typed}) AS typed", write)

    def _note_unreadable(self) -> None:
        self.unreadable = self.reader.unreadable()
        self._shifts = [record.number - place for place, record in enumerate(self.unreadable)]

    def _condemn_faulty(self) -> None:
        ranks = self._faulty_ranks()
        for start in range(0, len(ranks), 1_000):
            chosen = ", ".join(str(rank) for rank in ranks[start : start + 1_000])
            self.reader.execute(f"UPDATE arrivals SET is_sound = false WHERE rank IN ({chosen})")

    def _faulty_ranks(self) -> list[int]:
        unread = {record.number for record in self.unreadable}
        numbers = sorted(number for number in self.survey.faults if number not in unread)
        lost = sorted(unread)
        return [number - bisect_right(lost, number) for number in numbers]

    def _find_last(self) -> None:
        keys = ", ".join(self._keys)
        self.reader.execute(
            f"CREATE TABLE last AS SELECT {keys}, max(rank) AS rank,"
            " arg_max(hash, rank) AS hash, count(*) AS times"
            f" FROM arrivals WHERE is_sound GROUP BY {keys}"
        )

    def _duplicates(self) -> int:
        return int(self.reader.value("SELECT coalesce(sum(times - 1), 0) FROM last"))

    def _has_table(self, name: str) -> bool:
        return bool(
            self.reader.value(
                f"SELECT count(*) FROM duckdb_tables() WHERE table_name = {literal(name)}"
            )
        )
