"""Where the embedded server may live, and as whom."""

import stat
from pathlib import Path

import pytest

from config.embedded import places, unprivileged
from config.embedded.places import Places
from config.embedded.unprivileged import Account


@pytest.fixture
def present_user() -> Account:
    account = unprivileged.choose()
    return Account(account.name, account.uid, account.gid, account.differs)


def test_it_keeps_a_deep_home_s_socket_in_a_short_private_folder(
    tmp_path: Path, present_user: Account
) -> None:
    deep = Places(tmp_path.joinpath(*["a-rather-long-folder-name"] * 5))
    deep.root.mkdir(parents=True)
    made = places.socket_folder(deep, present_user, kept="")
    assert len(str(made)) <= places.SOCKET_FOLDER_BYTES
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert places.socket_folder(deep, present_user, kept=str(made)) == made
    made.chmod(0o777)
    other = places.socket_folder(deep, present_user, kept=str(made))
    assert other != made
    made.rmdir()
    other.rmdir()


def test_it_moves_out_of_a_home_that_its_user_cannot_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    stranger = Account("stranger", 54321, 54321, differs=True)
    chosen = places.choose(closed, stranger)
    assert places.SHARED_HOME in chosen.root.parents
    assert places.choose(closed, stranger) == chosen
    assert places.choose(tmp_path / "other", stranger) != chosen


def test_it_stays_in_a_home_that_its_user_can_enter(present_user: Account) -> None:
    own = Account("owner", present_user.uid, present_user.gid, differs=False)
    assert places.choose(Path("/tmp"), own).root == Path("/tmp/postgres")
