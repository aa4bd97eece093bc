"""What goes out and comes back untouched says nothing, whatever stands in it."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from apps.catalog.models import Dataset
from apps.catalog.proposals import fresh, plain_items
from apps.catalog.spreadsheets import writing
from apps.catalog.spreadsheets.lines import lines_of
from apps.catalog.spreadsheets.references import References
from apps.catalog.spreadsheets.writing import csv_lines, write_xls, write_xlsx
from tests.catalog import stories
from tests.catalog.sheets.workbooks import (
    actions,
    changed_meanwhile,
    edited,
    exported,
    faults,
    published_one,
    upload,
)
from tests.catalog.stories import People
from tests.factories.accounts import DepartmentFactory, InformationSystemFactory
from tests.factories.catalog import PERSONS

pytestmark = pytest.mark.django_db


def sent_out(folder: Path, form: str) -> Path:
    """Every entry as a file of that form."""
    path = folder / f"out.{form}"
    entries = Dataset.objects.all()
    if form == "xlsx":
        write_xlsx(path, lines_of(entries), References.load())
    elif form == "xls":
        write_xls(path, lines_of(entries))
    else:
        path.write_text("".join(csv_lines(lines_of(entries))), "utf-8", newline="")
    return path


# What stands in fields as nobody would write it anew, and still is no change.
ODD: dict[str, Any] = {
    "a formula's sign": {"note": "=1+1", "abstract": "-"},
    "an apostrophe before it": {"note": "'=1+1"},
    "lines": {"note": "第一行\r\n第二行\n\n第四行\t后"},
    "quotes": {"note": '“引号”"a",b;c'},
    "what looks like a number": {"note": "12.0", "contact_phone": "02312345678", "abstract": "1e5"},
    "capitals": {"format_type": "MySQL"},
    "a condition and no statute": {"sharing_attribute": "not_shared", "sharing_reason": "涉密"},
    "a condition and a statute": {"sharing_attribute": "not_shared", "sharing_statute": "某法"},
    "no conditions": {"opening_attribute": "conditional", "sharing_condition": ""},
    "no type of mode": {"mode_class": "mail", "mode_type": ""},
    "a small share": {"dirty_limit_ratio": 1e-7, "dirty_limit_rows": 0},
    "all of it": {"dirty_limit_ratio": 1.0, "themes": ["救助", "民政"], "grade": "important"},
}


@pytest.mark.parametrize("form", ["xlsx", "xls", "csv"])
def test_what_goes_out_comes_back_unchanged(
    people: People, at: datetime, tmp_path: Path, form: str
) -> None:
    published_one(people, at)
    stories.draft(people, at, name="临时救助", key_items=["name", "identity_number"])
    for name, fields in ODD.items():
        stories.draft(people, at, name=f"{name}的目录", **fields)
    path = sent_out(tmp_path, form)
    subject = upload(path.read_bytes(), people.editor, at, name=path.name)
    assert subject.status == "checked", subject.problem
    assert faults(subject) == []
    assert {entry.name for entry in subject.entries.exclude(action="unchanged")} == set()
    assert subject.summary["entries"] == len(ODD) + 2


def test_an_entry_keeps_what_nobody_may_choose_any_more(
    people: People, at: datetime, tmp_path: Path
) -> None:
    ended = DepartmentFactory(name="市撤并了的局")
    theirs = InformationSystemFactory()
    published_one(people, at, system=theirs, source_department=ended)
    stories.draft(people, at, name="临时救助")
    ended.valid_to = at.date()
    ended.save()
    content = exported(tmp_path)
    subject = upload(content, people.editor, at)
    assert (actions(subject), faults(subject)) == (["unchanged", "unchanged"], [])
    last = len(PERSONS)
    given = edited(content, 来源信息系统={last: theirs.code}, 数源部门={last: ended.code})
    subject = upload(given, people.editor, at)
    assert actions(subject) == ["unchanged", "faulty"]
    assert [each[2] for each in faults(subject) if each[0] == "error"] == [
        f"提供部门没有“{theirs.code}”这个信息系统",
        f"没有“{ended.code}”这个数源部门",
    ]


def test_no_entry_is_torn_apart_where_an_old_workbook_is_full(
    people: People, at: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "XLS_ROWS", 9)
    for letter in "甲乙丙":
        stories.draft(people, at, name=f"{letter}类救助")
    subject = upload(sent_out(tmp_path, "xls").read_bytes(), people.editor, at, name="目录.xls")
    assert (actions(subject), faults(subject)) == (["unchanged"] * 3, [])
    assert len({entry.sheet for entry in subject.entries.all()}) == 3


def test_an_untouched_sheet_does_not_undo_a_new_order(
    people: People, at: datetime, tmp_path: Path
) -> None:
    dataset = published_one(people, at)
    content = exported(tmp_path)
    changed_meanwhile(people, dataset, at, items=plain_items(fresh(dataset.pk))[::-1])
    assert actions(upload(content, people.editor, at)) == ["unchanged"]
