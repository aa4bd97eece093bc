"""Texts on screens are covered by the functions of the views that consumers read."""

import pytest

from apps.standards.queries import covered

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("mask", "text", "shown"),
    [
        ("cover_identity", "11010519491231002X", "110105********002X"),
        ("cover_identity", "1101051949", "**********"),
        ("cover_mobile", "13800001234", "138****1234"),
        ("cover_name", "张小三", "张*三"),
        ("keep_ends", "渝北区龙溪街道", "渝*****道"),
        ("hide", "张小三", "***"),
        ("year_of_date", "2019-05-10", "2019"),
        ("year_of_date", "昨天", "***"),
        ("band_number", "35214", "***"),
        ("truncate_to", "3.14", "***"),
        ("no such mask", "张小三", "***"),
    ],
)
def test_it_covers_a_text_whatever_it_is(mask: str, text: str, shown: str) -> None:
    assert covered([(mask, text)]) == [shown]


def test_it_keeps_the_order_of_many() -> None:
    assert covered([("cover_name", "张三"), ("hide", "甲"), ("cover_name", "李四四")]) == [
        "张*",
        "***",
        "李*四",
    ]
    assert covered([]) == []
