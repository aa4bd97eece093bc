"""A file that cannot be read at all, and the names of cells."""

from apps.core.errors import InvalidInput


class Refusal(InvalidInput):
    """Nothing of the file can be judged; the words say why and what to do."""

    code = "sheet_refused"


def letters(index: int) -> str:
    """Return the letters of a column by its place, from 0: A … Z, AA …"""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name


def cell_name(column: int | None, row: int) -> str:
    """Return D17 for column 3 of row 17; nothing where there is no such column."""
    return f"{letters(column)}{row}" if column is not None and row else ""
