"""Open a workbook in an office program and save it again, as somebody does who edits it by hand."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

FILTERS: Final = {
    "xlsx": "xlsx:Calc MS Excel 2007 XML",
    "xls": "xls:MS Excel 97",
    "ods": "ods:calc8",
    "csv": "csv:Text - txt - csv (StarCalc):44,34,76,1",
}
_WORKED_OUT: Final = frozenset({"formula never worked out"})
UNFIT: Final[dict[str, frozenset[str]]] = {
    "": frozenset(),
    **dict.fromkeys(("xlsx", "xls", "csv"), _WORKED_OUT),
    "ods": _WORKED_OUT | {"odd_text"},  # our parser loses the tab in it
}
"""By form, the edits that a sheet no longer shows when it was saved again."""
MINUTES: Final = 15


def is_there() -> bool:
    return shutil.which("soffice") is not None


def saved_again(content: bytes, form: str) -> bytes:
    """Return the workbook as LibreOffice writes it in a form of `FILTERS`."""
    with tempfile.TemporaryDirectory(prefix="huiliu-office-") as folder:
        source, target = Path(folder) / "in" / "目录.xlsx", Path(folder) / "out"
        source.parent.mkdir()
        source.write_bytes(content)
        subprocess.run(
            [
                "soffice",
                f"-env:UserInstallation=file://{folder}/profile",
                "--headless",
                "--convert-to",
                FILTERS[form],
                "--outdir",
                str(target),
                str(source),
            ],
            check=True,
            capture_output=True,
            timeout=60 * MINUTES,
        )
        return (target / f"目录.{form}").read_bytes()
