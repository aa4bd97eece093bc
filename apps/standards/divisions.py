"""The districts and counties of Chongqing with the days from and to which each code is valid.

The landing engine's macros read no table, so the codes stand here; a test holds them against the
regions of `accounts`, which the rest of the system asks.

Source: GB/T 2260 (行政区划代码); 2025年11月撤销江北区、渝北区，设立两江新区
"""

from datetime import date
from typing import Final

CITY: Final = "500000"
CHANGED_ON: Final = date(2025, 11, 6)
FOUNDED: Final[dict[str, date]] = {"500157": CHANGED_ON}
ENDED: Final[dict[str, date]] = {"500105": CHANGED_ON, "500112": CHANGED_ON}
"""The day a code ended is the first on which it is no longer valid."""

LASTING: Final = (
    *(f"5001{number:02d}" for number in range(1, 21) if number not in (5, 12)),
    *(f"5001{number}" for number in range(51, 57)),
    *(f"5002{number}" for number in (29, 30, 31, 33, 35, 36, 37, 38, 40, 41, 42, 43)),
)


def in_force_sql(code: str, day: str) -> str:
    """Return SQL that says whether a code of six digits is Chongqing's on that day.

    code, day: SQL expressions of a text and of a date.
    """
    lasting = ", ".join(f"'{each}'" for each in (CITY, *LASTING))
    founded = (f"{code} = '{each}' AND {day} >= DATE '{on}'" for each, on in FOUNDED.items())
    ended = (f"{code} = '{each}' AND {day} < DATE '{on}'" for each, on in ENDED.items())
    return " OR ".join([f"{code} IN ({lasting})", *founded, *ended])
