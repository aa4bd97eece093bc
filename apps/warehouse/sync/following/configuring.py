"""The copies that a configuration names: `[[follow]]`, each into a database or a folder."""

import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy

from apps.warehouse.sync.following.copy import Copy, engine_for
from apps.warehouse.sync.following.files import FORMATS, Published
from apps.warehouse.sync.following.follower import Follower
from apps.warehouse.sync.node import Misconfigured, portal_of, secret

LIMIT = 5_000
WORDS = frozenset(
    {"dataset", "table", "folder", "format", "url", "password_env", "password_file", "schema"}
    | {"limit", "empty_when_over"}
)


def configured_copies(
    path: Path, *, wait: Callable[[float], None] | None = None, needed: bool = True
) -> tuple[list[Follower], float]:
    """Read the copies of a configuration, and the seconds between two turns.

    Raises:
        Misconfigured: something is missing or unknown.
    """
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        home = path.resolve().parent
        portal = portal_of(said["portal"], home, wait or time.sleep)
        found = [_follower(each, home, portal) for each in said.get("follow", [])]
        pause = float(said.get("node", {}).get("follow_every_seconds", 30))
    except KeyError as error:
        raise Misconfigured(f"{path.name} 缺少 {error}") from error
    except (OSError, ValueError, sqlalchemy.exc.ArgumentError) as error:
        raise Misconfigured(f"{path.name}：{error}") from error
    if needed and not found:
        raise Misconfigured(f"{path.name} 没有 [[follow]]")
    return found, pause


def _follower(said: dict[str, Any], home: Path, portal: Any) -> Follower:
    if unknown := sorted(said.keys() - WORDS):
        raise ValueError(
            f"[[follow]] 里没有 {'、'.join(unknown)}；可用：{'、'.join(sorted(WORDS))}"
        )
    dataset = str(said["dataset"])
    if "folder" not in said and "url" not in said:
        raise ValueError(f"[[follow]] {dataset} 写 url（写入数据库）或者 folder（写入文件夹）")
    name = str(said.get("table", "d" + dataset.replace("/", "_").replace("-", "_")))
    published = None
    if "folder" in said:
        folder = home / str(said["folder"])
        folder.mkdir(parents=True, exist_ok=True)
        form = str(said.get("format", FORMATS[0]))
        if form not in FORMATS:
            raise ValueError(f"format 只能是 {'、'.join(FORMATS)}")
        published = Published(folder, name, form)
        url = sqlalchemy.make_url(f"sqlite:///{folder / f'.{name}.db'}")
    else:
        url = sqlalchemy.make_url(said["url"])
        if password := secret(said, "password", home, needed=False):
            url = url.set(password=password)
    copy = Copy(engine_for(url), name, dataset=dataset, schema=str(said.get("schema", "")))
    return Follower(
        copy,
        portal,
        limit=int(said.get("limit", LIMIT)),
        published=published,
        empties=bool(said.get("empty_when_over", False)),
    )
