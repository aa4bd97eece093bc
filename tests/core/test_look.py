"""What every screen does with its texts."""

import pytest

from apps.core.templatetags.look import whole


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "自2026-11-22 09:30至 2027-01-01",
            (
                '自<span class="nowrap">2026-11-22</span> <span class="nowrap">09:30</span>至 '
                '<span class="nowrap">2027-01-01</span>'
            ),
        ),
        ("SQ-2026-000123，12026-11-22", '<span class="nowrap">SQ-2026-000123</span>，12026-11-22'),
        ("学籍系统（S-0020）", '学籍系统（<span class="nowrap">S-0020</span>）'),
        ("X-Api-Key，UTF-8", "X-Api-Key，UTF-8"),
        ("<b>2026-11-22</b>", '&lt;b&gt;<span class="nowrap">2026-11-22</span>&lt;/b&gt;'),
        ("", ""),
    ],
)
def test_it_keeps_dates_and_codes_whole_and_markup_harmless(text: str, shown: str) -> None:
    assert whole(text) == shown
