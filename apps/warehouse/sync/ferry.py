"""Take files with a manifest out of a folder (摆渡): landed ones go to `done`, others to `refused`.

A manifest `name.json` beside the file says what it is:
{"file": "people.csv", "dataset": "307001-000001", "mode": "upsert", "sha256": "…", "rows": 1204}
"""

import hashlib
import json
import logging
import time
from pathlib import Path
from typing import Any

from apps.warehouse.sync.portal import Portal, PortalRefused

LANDED = ("landed", "unchanged")
ARRIVING_SECONDS = 300
FACTS = {"file": str, "dataset": str, "sha256": str, "rows": int}
MODES = ("upsert", "append", "snapshot", "delete")

logger = logging.getLogger("huiliu-sync")


class Unfit(Exception):
    """The manifest or its file cannot be taken; the words say why."""


class StillArriving(Exception):
    """The file is not there, or not whole, and was touched a moment ago."""


def turn(folder: Path, portal: Portal) -> None:
    """Take everything that lies in the folder now, oldest manifest first.

    Raises:
        PortalUnreachable, PortalRefused: nothing is taken now; the rest stays for the next time.
    """
    manifests = sorted(folder.glob("*.json"), key=lambda path: (path.stat().st_mtime, path.name))
    for manifest in manifests:
        if _was_put_away(manifest):
            continue
        try:
            said = _read(manifest)
            file = _file_of(manifest, said)
            batch = _send(portal, manifest, file, said)
        except StillArriving:
            continue
        except Unfit as error:
            _put_away(folder / "refused", manifest, None, {"reason": str(error)})
        except PortalRefused as error:
            if error.is_of_the_moment:
                raise
            facts = {"code": error.code, "reason": str(error)}
            _put_away(folder / "refused", manifest, file, facts)
        else:
            place = "done" if batch["status"] in LANDED else "refused"
            facts = {name: batch[name] for name in ("number", "status", "balance", "code")}
            _put_away(folder / place, manifest, file, {**facts, "reason": batch["message"]})


def _read(manifest: Path) -> dict[str, Any]:
    try:
        said = json.loads(manifest.read_text(encoding="utf-8"))
    except ValueError as error:
        if _is_fresh(manifest):
            raise StillArriving from error
        raise Unfit(f"清单不是 JSON：{error}") from error
    if not isinstance(said, dict):
        raise Unfit("清单应为一个 JSON 对象")
    for name, kind in FACTS.items():
        if not isinstance(said.get(name), kind) or isinstance(said.get(name), bool):
            raise Unfit(f"清单缺少 {name}，或者类型不对")
    if said.get("mode", "upsert") not in MODES:
        raise Unfit(f"没有 {said['mode']} 这种入库方式，可用的有 {'、'.join(MODES)}")
    if Path(said["file"]).name != said["file"] or said["file"].startswith("."):
        raise Unfit("file 只写同一文件夹里的文件名")
    return said


def _file_of(manifest: Path, said: dict[str, Any]) -> Path:
    file: Path = manifest.parent / str(said["file"])
    if file.is_symlink() or not file.is_file():
        if _is_fresh(manifest):
            raise StillArriving
        raise Unfit(f"没有文件 {said['file']}")
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != said["sha256"].lower():
        if _is_fresh(file):
            raise StillArriving
        raise Unfit(f"文件的 SHA-256 是 {found}，与清单不符")
    return file


def _is_fresh(path: Path) -> bool:
    return time.time() - path.stat().st_mtime < ARRIVING_SECONDS


def _send(portal: Portal, manifest: Path, file: Path, said: dict[str, Any]) -> dict[str, Any]:
    """Send under a key of the manifest's own bytes: the same manifest lands once."""
    key = f"ferry:{_digest(manifest)}"
    logger.info("%s", file.name)
    return portal.outcome(portal.send(file, said, key))


def _was_put_away(manifest: Path) -> bool:
    """Finish what was interrupted between the file's move and the manifest's."""
    for name in ("done", "refused"):
        place = manifest.parent / name
        receipt = place / f"{manifest.stem}.receipt.json"
        if receipt.is_file() and _digest(manifest) in receipt.read_text(encoding="utf-8"):
            for file in (json.loads(receipt.read_text(encoding="utf-8"))["file"], manifest.name):
                left = manifest.parent / file
                if file and left.is_file():
                    left.replace(place / file)
            return True
    return False


def _digest(manifest: Path) -> str:
    return hashlib.sha256(manifest.read_bytes()).hexdigest()


def _put_away(place: Path, manifest: Path, file: Path | None, facts: dict[str, Any]) -> None:
    """Move both away; the receipt first, so that nothing ever lies there without its reason."""
    place.mkdir(exist_ok=True)
    receipt = place / f"{manifest.stem}.receipt.json"
    told = {"manifest_sha256": _digest(manifest), "file": file.name if file else "", **facts}
    receipt.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
    if file is not None and file.exists():
        file.replace(place / file.name)
    manifest.replace(place / manifest.name)
    logger.info("%s → %s：%s", manifest.name, place.name, facts.get("reason", ""))
