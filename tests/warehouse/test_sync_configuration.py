"""What a copy's configuration says is done, or refused by name: nothing is passed over."""

from pathlib import Path

import pytest

from apps.warehouse.sync.following.configuring import configured_copies
from apps.warehouse.sync.node import Misconfigured


def written(home: Path, lines: str) -> Path:
    path = home / "sync.toml"
    (home / "secret").write_text("s", encoding="utf-8")
    portal = '[portal]\nurl = "https://portal.example"\nclient_id = "a"\n'
    path.write_text(
        f'{portal}client_secret_file = "secret"\n[[follow]]\ndataset = "307027-000001"\n{lines}\n',
        encoding="utf-8",
    )
    return path


def test_a_word_that_is_not_known_is_refused_by_name(tmp_path: Path) -> None:
    path = written(tmp_path, 'folder = "files"\nempty_when_ovr = true')
    with pytest.raises(Misconfigured, match=r"没有 empty_when_ovr；可用：.*empty_when_over"):
        configured_copies(path)


def test_a_copy_with_no_place_is_told_its_choices(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="307027-000001 写 url（写入数据库）或者 folder"):
        configured_copies(written(tmp_path, 'format = "csv"'))


def test_what_is_documented_is_taken(tmp_path: Path) -> None:
    path = written(tmp_path, 'folder = "files"\nformat = "csv"\nempty_when_over = true')
    assert len(configured_copies(path)[0]) == 1
