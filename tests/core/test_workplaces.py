"""Folders of attempts: each its own, and none of the dead stays."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured

from apps.core import files

DYING = """
import django, os
django.setup()
from django.conf import settings
settings.HUILIU_HOME = {home!r}
from apps.core import files
folder = files.make_workplace("batch-1")
(folder / "rows.csv").write_text("half")
os._exit(9)
"""


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> Path:
    settings.HUILIU_HOME = tmp_path
    return tmp_path


def test_two_at_the_same_thing_have_folders_of_their_own() -> None:
    first = files.make_workplace("batch-1")
    (first / "rows.csv").write_text("mine")
    second = files.make_workplace("batch-1")
    assert (first / "rows.csv").read_text() == "mine"
    assert list(second.iterdir()) == []
    files.clear_workplace(first)
    assert second.is_dir()
    files.clear_workplace(second)


def test_what_a_dead_process_left_is_cleared_by_the_next(home: Path) -> None:
    code = DYING.format(home=str(home))
    died = subprocess.run([sys.executable, "-c", code], cwd=configured.BASE_DIR, check=False)
    assert died.returncode == 9
    [left] = [path for path in (home / "work").iterdir() if path.is_dir()]
    assert (left / "rows.csv").is_file()
    other = files.make_workplace("batch-12")  # another thing's leftovers are not its own
    assert left.is_dir()
    mine = files.make_workplace("batch-1")
    assert not left.exists()
    for folder in (other, mine):
        files.clear_workplace(folder)
    assert list((home / "work").iterdir()) == []
