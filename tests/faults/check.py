"""Print as JSON what the database holds of the dataset, for comparison with what it must."""

import json
import sys

from config import environment


def main() -> None:
    environment.start_database()
    import django

    django.setup()
    from django.db import connection
    from psycopg import sql

    from apps.warehouse.models import Batch, DataTable
    from tests.faults.expected import digest

    table = DataTable.objects.get(dataset__code=sys.argv[1].replace("-", "/"))
    place = sql.Identifier(table.schema, table.name)
    past = sql.Identifier(table.schema, f"{table.name}__past")
    batches = Batch.objects.filter(dataset=table.dataset_id)
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT serial, name, amount::text, happened_on::text FROM {}").format(place)
        )
        listed = cursor.fetchall()
        cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(past))
        superseded = cursor.fetchone()[0]
        cursor.execute(
            sql.SQL(
                "SELECT count(*) FROM (SELECT _id FROM {} GROUP BY 1 HAVING count(*) > 1) d"
            ).format(place)
        )
        doubled = cursor.fetchone()[0]
    print(
        json.dumps(
            {
                "digest": digest({key: tuple(row) for key, *row in listed}),
                "rows": len(listed),
                "past": superseded,
                "row_count": table.row_count,
                "doubled_ids": doubled,
                "landed_batches": batches.filter(status="landed").count(),
                "open_batches": batches.filter(status__in=["received", "checking"]).count(),
            }
        )
    )


if __name__ == "__main__":
    main()
