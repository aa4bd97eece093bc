"""Tell the lines that people put below a table: a total, who filled it in, remarks."""

import re
from collections.abc import Sequence
from typing import Final

_TOTAL: Final = re.compile(r"^(合|总|小|共|累)\s*计\s*[:：]?$")
_SIGNED: Final = re.compile(
    r"^(填报|填表|填写|制表|编制|审核|审批|复核|负责|分管|联系|经办|报送|单位)\S{0,8}\s*[:：]"
    r"|^(备注|说明|注|附注|填报说明|填表说明)\s*\d*\s*[:：]"
)
_MOST_TEXTS: Final = 8


def is_footing(cells: Sequence[str]) -> bool:
    """Say whether a row is no entry's: what stands first in it begins a total or a signature."""
    first = next((cell for cell in cells if cell), "")
    if _TOTAL.match(first):
        return True
    return _SIGNED.match(first) is not None and len(set(cells)) <= _MOST_TEXTS
