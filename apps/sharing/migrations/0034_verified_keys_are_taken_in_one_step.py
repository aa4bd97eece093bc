"""Room in a system's hour of verification is found and taken by one call of a function.

Its statements each see what was committed while the first one waited, which the parts of one
statement would not; four round trips become one.
"""

from typing import ClassVar

from django.db import migrations

TAKE = """
CREATE FUNCTION sharing_take_verified_keys(
    asking bigint, keys text[], at timestamptz, since timestamptz, most integer,
    OUT fresh text[], OUT free_after timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    standing integer;
BEGIN
    -- Calls of one system wait for each other here, or two at once would find the same room.
    PERFORM FROM accounts_informationsystem WHERE id = asking FOR NO KEY UPDATE;
    SELECT COALESCE(array_agg(asked), '{}') INTO fresh FROM unnest(keys) AS asked
     WHERE NOT EXISTS (SELECT FROM sharing_verifiedkey AS known WHERE known.system_id = asking
                          AND known.digest = asked AND known.asked_at > since);
    IF fresh = '{}' THEN
        RETURN;
    END IF;
    SELECT count(*) INTO standing FROM sharing_verifiedkey
     WHERE system_id = asking AND asked_at > since;
    IF standing + cardinality(fresh) > most THEN
        SELECT COALESCE(min(asked_at), at) INTO free_after FROM (
            SELECT asked_at FROM sharing_verifiedkey
             WHERE system_id = asking AND asked_at > since AND digest <> ALL (keys)
             ORDER BY asked_at OFFSET standing + cardinality(fresh) - most - 1 LIMIT 1) AS others;
        fresh := NULL;
        RETURN;
    END IF;
    INSERT INTO sharing_verifiedkey AS known (system_id, digest, asked_at)
    SELECT asking, taken, at FROM unnest(fresh) AS taken
        ON CONFLICT (system_id, digest) DO UPDATE SET asked_at = excluded.asked_at;
    PERFORM set_config('synchronous_commit', 'off', TRUE);
END
$$
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("sharing", "0033_interfaces_page")]
    operations: ClassVar = [
        migrations.RunSQL(
            TAKE,
            "DROP FUNCTION sharing_take_verified_keys"
            "(bigint, text[], timestamptz, timestamptz, integer)",
        )
    ]
