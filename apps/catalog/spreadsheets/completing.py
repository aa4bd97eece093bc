"""Complete what a sheet leaves open about items: columns, standards, the key."""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.catalog.item_defaults import follow_element, provisional_column, standard_name
from apps.catalog.snapshots import plain
from apps.catalog.spreadsheets.references import References
from apps.catalog.spreadsheets.stating import Stated
from apps.catalog.surroundings import significant


def complete_items(
    rows: Sequence[Mapping[str, Any]], references: References
) -> list[dict[str, Any]]:
    """Give new items what the standards say of their name, and a column, as the editor does."""
    used = {str(row["column_name"]) for row in rows if row.get("column_name")}
    completed = []
    for row in rows:
        item = dict(row)
        if not item.pop("is_new", False):
            completed.append(item)
            continue
        item.setdefault("column_name", "")
        name = standard_name(str(item.get("name", "")))
        element = references.elements.get(significant(name))
        if element is not None and element.name == name:
            said = {"data_element", "code_list"} & set(item)
            stated = {name: item[name] for name in said}
            taken = used - {item["column_name"]}
            follow_element(item, element, taken)
            item |= stated
        if not item["column_name"]:
            item["column_name"] = provisional_column(used)
        used.add(str(item["column_name"]))
        if not item.get("name"):
            item["name"] = item["column_name"]
        if item.get("sensitive"):
            item["personal"] = True
        completed.append({name: plain(value) for name, value in item.items()})
    return completed


def keyed(
    stated: Stated, rows: Sequence[Mapping[str, Any]], present: Sequence[str]
) -> list[str] | None:
    """Return the key's columns as the sheet marks them, None where it says nothing of any."""
    if all(item.key is None for item in stated.items):
        return None
    by_name = {significant(str(row["name"])): str(row["column_name"]) for row in rows}
    columns = {str(row["column_name"]) for row in rows}
    marks: dict[str, str] = {}
    for item in stated.items:
        column = item.values.get("column_name") or by_name.get(
            significant(str(item.values.get("name", "")))
        )
        if item.key is not None and column in columns and not item.removes:
            marks[column] = item.key
    subject = [column for column, mark in marks.items() if mark == "subject"]
    others = [column for column, mark in marks.items() if mark == "key"]
    kept = [column for column in present if column not in marks and column in columns]
    found = [*subject, *kept, *others]
    same = set(found) == set(present) and len(found) == len(present)
    if same and (not subject or found[0] == present[0]):
        return list(present)
    return found
