"""Whoever works in English reads English: every marked word has its translation, and a true one.

What would be gathered today is compared with what is committed, so that a word added to a screen
and forgotten in locale/en is named here. `make messages` gathers the new ones into the file.
"""

import gettext
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
ENGLISH = ROOT / "locale" / "en" / "LC_MESSAGES"
PLACE = re.compile(r"%\(\w+\)[sd]|%%\w+%%")
TOOLS = ("xgettext", "msgen", "msgfmt")
GATHER = ("-m", "django", "makemessages", "-l", "en", "--symlinks", "--keep-pot", "--no-location")

needs_tools = pytest.mark.skipif(
    not all(map(shutil.which, TOOLS)),
    reason="没有安装 gettext（xgettext、msgen、msgfmt），译文是否齐全未检查",
)


def run(*command: str | Path, at: Path = ROOT) -> str:
    """Run a program and return what it complains about."""
    done = subprocess.run(command, cwd=at, capture_output=True, text=True, check=False)
    return f"{done.stderr}{done.stdout}" if done.returncode else ""


@needs_tools
def test_every_marked_word_has_its_english(tmp_path: Path) -> None:
    (tmp_path / "locale").mkdir()
    for name in ("apps", "config", "templates"):
        (tmp_path / name).symlink_to(ROOT / name)
    assert run(sys.executable, *GATHER, at=tmp_path) == ""
    gathered, filled = tmp_path / "locale" / "django.pot", tmp_path / "filled.po"
    assert run("msgen", "-o", filled, gathered) == ""  # each its own translation, or none compiles
    assert run("msgfmt", "-o", tmp_path / "all.mo", filled) == ""
    missing = set(catalogue(tmp_path / "all.mo")) - set(catalogue(ENGLISH / "django.mo"))
    assert missing == set(), "run make messages, then translate what is empty or fuzzy"


@needs_tools
def test_what_is_compiled_is_what_is_written(tmp_path: Path) -> None:
    fresh = tmp_path / "django.mo"
    assert run("msgfmt", "--check-format", "-o", fresh, ENGLISH / "django.po") == ""
    assert catalogue(fresh) == catalogue(ENGLISH / "django.mo"), "run make messages"


def test_a_translation_has_the_places_of_its_source_and_no_chinese() -> None:
    words = catalogue(ENGLISH / "django.mo")
    assert len(words) > 1000
    wrong = {
        source: english
        for source, english in words.items()
        if sorted(PLACE.findall(source)) != sorted(PLACE.findall(english))
        or re.search("[，。；：？！（）、]", english)
    }
    assert wrong == {}


def catalogue(compiled: Path) -> dict[str, str]:
    """Return source and translation of every word of a compiled file."""
    with compiled.open("rb") as file:
        words: dict[str, str] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {source: english for source, english in words.items() if source}
