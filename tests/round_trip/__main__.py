"""Play the round trip in a city that is there: its catalogue is changed by it, as by its people.

    HUILIU_HOME=… DJANGO_SETTINGS_MODULE=config.settings.demo python -m tests.round_trip \\
        [--changes 200] [--seed 1] [--untouched] [--office xlsx]

Says how often each kind of edit was made, what the verdicts counted, and everything that is not
accounted for; ends with 1 when there is anything. With --office the sheet goes through LibreOffice
before it comes back, as from somebody who edits it by hand.
"""

import argparse
import resource
import sys
from datetime import UTC, datetime

from config import environment
from tests.round_trip import office


def main() -> int:
    asked = argparse.ArgumentParser()
    asked.add_argument("--changes", type=int, default=200)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--officer", default="authority")
    asked.add_argument("--untouched", action="store_true", help="first bring it back unchanged")
    asked.add_argument("--office", choices=office.FILTERS, help="save it in LibreOffice so")
    options = asked.parse_args()
    if options.office and not office.is_there():
        print("skipped: LibreOffice (soffice) is not installed")
        return 0
    environment.start_database()
    import django

    django.setup()
    from apps.accounts.models import User
    from tests.round_trip.story import Story

    officer = User.objects.get(username=options.officer)
    story = Story(officer, datetime.now(UTC), office=options.office or "")
    wrong = story.untouched() if options.untouched else []
    told = story.play(options.changes, options.seed)
    wrong += told.wrong
    for name, count in sorted(told.ledger.counts.items()):
        print(f"{count:>4}  {name}")
    print(f"{told.entries} entries, {told.rows} rows, {sum(told.ledger.counts.values())} edits")
    print("verdicts", told.counts, "outcomes", told.outcomes)
    print("seconds", told.seconds)
    print("peak MB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
    print(*(wrong or ["everything is accounted for"]), sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
