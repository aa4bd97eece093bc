"""Play the loads and the kills; print each, then what the database holds beside what it must.

Loads go on until so many were hit: a kill that comes when its load is over counts for nothing.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.faults.expected import Table
from tests.faults.portal import KINDS, Portal
from tests.faults.sender import Sender


def main() -> int:
    asked = argparse.ArgumentParser()
    asked.add_argument("--kills", type=int, default=50)
    asked.add_argument("--rows", type=int, default=20_000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--port", type=int, default=8190)
    asked.add_argument("--home", type=Path)
    options = asked.parse_args()
    home = options.home or Path(tempfile.mkdtemp(prefix="huiliu-faults-"))
    home.chmod(0o755)  # the database's own user passes through it
    wrong = play(home, kills=options.kills, rows=options.rows, seed=options.seed, port=options.port)
    print(*(wrong or ["no row lost, none doubled, every balance holds"]), sep="\n")
    if not wrong and options.home is None:
        shutil.rmtree(home, ignore_errors=True)
    return 1 if wrong else 0


def play(home: Path, *, kills: int, rows: int, seed: int, port: int) -> list[str]:
    """Return in words everything that is not as the files say."""
    fate = random.Random(seed)
    table = Table(rows)
    killed: Counter[str] = Counter()
    with Portal(home, port) as portal:
        scene = portal.told("tests.faults.scene")
        portal.start()
        sender = Sender(portal.address, scene)
        usual: dict[str, float] = {}
        while killed.total() - killed["too late"] < kills:
            number = killed.total() + 1
            load, kind = table.draw(fate), fate.choice(KINDS)
            began = time.monotonic()
            portal.kill_after(fate.uniform(0, usual.get(load.mode, 2.0)), kind)
            answer = sender.wait(sender.push(load, key=f"load-{number}"))
            seconds = time.monotonic() - began
            moment = portal.killed_after()
            killed[kind if moment is not None else "too late"] += 1
            if moment is None:
                usual[load.mode] = 0.5 * usual.get(load.mode, seconds) + 0.5 * seconds
            fault = load.differs(answer)
            table.keep(load, fault)
            hit = f"{kind} killed after {moment:.1f} s" if moment is not None else "nothing killed"
            print(
                f"{number:>3} {load.mode:<8} {hit}, over after {seconds:.1f} s: {fault or 'right'}"
            )
        print(json.dumps({"killed": killed, "seed": seed}))
        found = portal.told("tests.faults.check", scene["dataset"])
    return table.compare(found)


if __name__ == "__main__":
    sys.exit(main())
