"""The generated pages of docs/ say what the code says."""

import pytest
from django.utils import translation

from apps.console.reference import ROOT, lifecycles_page, sources_page


@pytest.mark.parametrize(
    ("name", "page"), [("lifecycles", lifecycles_page), ("sources", sources_page)]
)
def test_generated_pages_are_current(name: str, page: object) -> None:
    with translation.override("zh-hans"):
        assert (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") == page(), (  # type: ignore[operator]
            "run: manage.py write_docs"
        )
