"""A day of the city's calls: 440,000 of them for 7.46 million records, the average of 2019.

Run by `make bench ONLY=replay`: 200 datasets of 5,000 rows, 900 systems with a grant each, most of
them on few datasets, eight connections. A tenth of the day is played; HUILIU_BENCH_CALLS=440000
plays all of it.
"""

import os
import random
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application

from apps.catalog import queries as catalog
from apps.sharing.models import Grant
from apps.sharing.operations import issue_credential
from apps.warehouse import physical
from apps.warehouse.models import DataTable
from tests import stories
from tests.benchmarks.dataplane_city import CONDITION, FILL, ITEMS, MASKS, further_grant, person_id
from tests.benchmarks.dataplane_sides import CONNECTIONS, ask_client, served
from tests.benchmarks.harness import Measurement, claim
from tests.factories.sharing import Scene, make_scene

DAY_CALLS: Final = 440_000
DATASETS: Final = 200
SYSTEMS: Final = 900
ROWS: Final = 5_000
PAGE_ROWS: Final = 100
# Of a hundred calls so many are pages of 100 records, the others ask for one: 17 a call, as then.
PAGES_IN_A_HUNDRED: Final = 16
DRAWN: Final = 20_000


@claim("replay.day", target="<= 0.02")
def day() -> Measurement:
    """The time that a day's calls take, of a day."""
    calls = int(os.environ.get("HUILIU_BENCH_CALLS", str(DAY_CALLS // 10)))
    chosen = random.Random(2019)
    systems = _systems(chosen)
    drawn = [_call(chosen, *chosen.choice(systems)) for _number in range(DRAWN)]
    records = sum(rows for _path, _token, rows in drawn) / DRAWN
    with served() as port:
        plan = {"host": "127.0.0.1", "port": port, "connections": CONNECTIONS, "total": calls}
        listed = [[path, token] for path, token, _rows in drawn]
        seconds = ask_client(kind="replay", calls=listed, **plan)["seconds"]
    whole = seconds * DAY_CALLS / calls
    return Measurement(
        whole / timedelta(days=1).total_seconds(),
        {
            "calls": calls,
            "seconds": round(seconds),
            "seconds_of_a_day": round(whole),
            "calls_per_second": round(calls / seconds),
            "records_of_a_day": round(records * DAY_CALLS),
        },
    )


def _call(chosen: random.Random, path: str, token: str) -> tuple[str, str, int]:
    """Return an address, the token for it, and the records that it answers with."""
    if chosen.randrange(100) < PAGES_IN_A_HUNDRED:
        return f"{path}?limit={PAGE_ROWS}", token, PAGE_ROWS
    number = chosen.randrange(ROWS // 38) * 38 + 3 + chosen.randrange(35)
    return f"{path}?person_id={person_id(number)}", token, 1


def _systems(chosen: random.Random) -> list[tuple[str, str]]:
    """Return for each system the address that it reads and its token."""
    at = timezone.now()
    sources = [_dataset(at) for _number in range(DATASETS)]
    found = []
    for number in range(SYSTEMS):
        # Every dataset is read by somebody, and a few by very many.
        place = number if number < DATASETS else int(DATASETS * chosen.random() ** 3)
        scene, like = sources[place]
        grant = like if number < DATASETS else further_grant(scene, like, at)
        found.append((_address(scene), _token(scene, grant, at)))
    return found


def _dataset(at: datetime) -> tuple[Scene, Grant]:
    scene = make_scene(items=ITEMS, key_items=["person_id"])
    table = physical.ensure_table(scene.dataset)
    name = f'"{table.schema}"."{table.name}"'
    with connection.cursor() as cursor:
        cursor.execute(FILL.format(table=name, rows=ROWS))
        contract = catalog.contract_of(scene.dataset)
        physical.create_indexes(contract, schema=table.schema, name=table.name)
        cursor.execute(f"VACUUM ANALYZE {name}")
    DataTable.objects.filter(pk=table.pk).update(batch_counter=1, row_count=ROWS, is_indexed=True)
    items = {item[0]: MASKS.get(item[0], "") for item in ITEMS}
    return scene, stories.delivered(scene, at, items=items, row_condition=CONDITION).grant


def _token(scene: Scene, grant: Grant, at: datetime) -> str:
    # The row of the token alone: drawing one is not what is measured, and hashes a secret.
    issue_credential(
        system=grant.system, actor=scene.consumer_head, at=at, untested_reason="已在旧平台试调"
    )
    token = f"replay-{grant.pk:06d}"
    shared: dict[str, Any] = {"scope": "data", "expires": at + timedelta(days=1)}
    application = Application.objects.get(user=grant.system.service_user)
    AccessToken.objects.create(application=application, token=token, **shared)
    return token


def _address(scene: Scene) -> str:
    return f"/api/v1/data/{scene.dataset.code.replace('/', '-')}"
