"""The sheet as an office program saves it again: what nobody changed is unchanged."""

from datetime import datetime
from pathlib import Path

import pytest

from tests.catalog.sheets import hostile
from tests.catalog.sheets.workbooks import (
    actions,
    edited,
    exported,
    faults,
    published_one,
    row,
    upload,
    workbook,
)
from tests.catalog.stories import People
from tests.factories.catalog import ClassificationFactory
from tests.round_trip import office

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not office.is_there(), reason="LibreOffice (soffice) is not installed"),
]


@pytest.mark.parametrize("form", sorted(office.FILTERS))
def test_a_sheet_that_was_saved_again_imports_as_it_was(
    people: People, at: datetime, tmp_path: Path, form: str
) -> None:
    published_one(people, at)
    content = exported(tmp_path)
    for sheet, action in (
        (content, "unchanged"),
        (edited(content, 更新周期={0: "每年"}), "revise"),
    ):
        subject = upload(office.saved_again(sheet, form), people.editor, at, name=f"目录.{form}")
        assert (subject.status, actions(subject)) == ("checked", [action]), faults(subject)
        assert faults(subject) == []


@pytest.mark.parametrize("form", sorted(office.FILTERS))
def test_an_error_of_a_formula_stays_one(people: People, at: datetime, form: str) -> None:
    ClassificationFactory()
    content = office.saved_again(hostile.with_formulas((4, "=1/0", "#DIV/0!")), form)
    subject = upload(content, people.editor, at, name=f"目录.{form}")
    found = [("error", "E2", "单元格是公式错误 #DIV/0!")]
    assert (actions(subject), [each for each in faults(subject) if each[0] == "error"]) == (
        ["faulty"],
        found,
    )


@pytest.mark.parametrize("form", sorted(office.FILTERS))
def test_a_new_entry_is_read_whole(people: People, at: datetime, form: str) -> None:
    ClassificationFactory()
    rows = [row(), {"信息项名称": "救助金额", "数据类型": "货币型", "数据长度": "12,2"}]
    content = office.saved_again(workbook(rows), form)
    subject = upload(content, people.editor, at, name=f"目录.{form}")
    assert actions(subject) == ["create"], faults(subject)
    entry = subject.entries.get()
    assert (entry.first_row, entry.last_row) == (2, 3)
