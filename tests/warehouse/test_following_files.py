"""The files of copies that share a folder."""

from pathlib import Path

import sqlalchemy

from apps.warehouse.sync.following.copy import Copy, Standing
from apps.warehouse.sync.following.files import Published


def test_a_copy_clears_its_own_files_and_not_those_of_a_longer_name(tmp_path: Path) -> None:
    own = ["a-1-2.csv", "a-12-30.csv", "a-12-31.part", "a.manifest.json"]
    others = ["a-b-1-2.csv", "a-b-1-3.part", "a-b.manifest.json", "a-1-2-3.csv", "a-1-2.ndjson"]
    for name in own + others:
        (tmp_path / name).write_text("{}")
    copy = Copy(sqlalchemy.create_engine("sqlite://"), "a", dataset="307001002/000001")

    Published(tmp_path, "a", "csv").publish(copy, Standing(copy.dataset))  # it began anew

    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(others)
