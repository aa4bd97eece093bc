"""What keeps a change from coming into force is told by the dry run, at the cell."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from apps.catalog import queries
from apps.catalog.models import DatasetChange
from tests import stories
from tests.catalog.sheets.workbooks import (
    actions,
    adopted,
    edited,
    exported,
    faults,
    published_one,
    upload,
)
from tests.catalog.stories import People
from tests.factories.sharing import make_scene

pytestmark = pytest.mark.django_db
# what the sheet says → cell, a part of the words
OBSTACLES: dict[str, tuple[dict[str, Any], str, str]] = {
    "another length": ({"数据长度": {4: "8"}}, "V6", "缩小为"),
    "another type": ({"数据类型": {3: "字符型C"}}, "U5", "另用新列名"),
    "another scale": ({"小数位数": {4: "4"}}, "AI6", "缩小为"),
    "another column": ({"列名": {1: "person_name"}}, "AH3", "数据表中已有这一列"),
    "another key": ({"主键": {1: "主键"}}, "", "须另编目录"),
}


@pytest.mark.parametrize("name", sorted(OBSTACLES))
def test_what_no_table_can_follow_is_named_at_its_cell(
    people: People, at: datetime, tmp_path: Path, name: str
) -> None:
    cells, cell, words = OBSTACLES[name]
    published_one(people, at)
    subject = upload(edited(exported(tmp_path), **cells), people.editor, at)
    assert actions(subject) == ["revise"]
    found = [each for each in faults(subject) if each[0] == "due"]
    assert [each[1] for each in found] == [cell], found
    assert words in found[0][2]
    adopted(subject, people.editor, at)
    change = DatasetChange.objects.get()
    told = [str(each) for each in queries.remarks_on_change(change, on=at.date()) if each.is_error]
    assert [each[2] for each in found] == told, "the dry run and the submission say the same"


def test_a_longer_text_needs_no_new_column(people: People, at: datetime, tmp_path: Path) -> None:
    published_one(people, at)
    subject = upload(edited(exported(tmp_path), 数据长度={1: "80"}), people.editor, at)
    assert (actions(subject), faults(subject)) == (["revise"], [])


def test_an_item_that_a_request_names_goes_with_a_warning(at: datetime, tmp_path: Path) -> None:
    scene = make_scene()
    stories.draft(scene, at, items=["identity_number", "name"])
    content = edited(exported(tmp_path), 操作={1: "删除", 4: "删除"})
    subject = upload(content, scene.provider, at)
    assert [each[:2] for each in faults(subject) if "保留期" in each[2]] == [
        ("warning", "AG3"),
    ]
