"""Calls of the data plane go the short way; all else that holds for answers holds for theirs."""

from contextlib import closing
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test import Client
from hypothesis import given
from hypothesis import strategies as some

from apps.sharing.gateway import formats, prepared, quotas
from apps.sharing.models import Grant, VerifiedKey
from tests.factories.sharing import Scene

HEADERS = ["X-Content-Type-Options", "X-Frame-Options", "Content-Language", "Content-Length"]


class TestShortWay:
    def test_an_answer_has_the_headers_of_every_answer(self, client: Client, address: str) -> None:
        for path in (address, f"{address}?nonsense=1", f"{address}/verify"):
            answer = client.get(path)
            assert [name for name in HEADERS if name not in answer.headers] == []
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert int(answer.headers["Content-Length"]) == len(answer.content)

    def test_a_cookie_makes_nobody_anything_there(
        self, address: str, landed_scene: Scene, landed_grant: Grant
    ) -> None:
        person = Client()
        person.force_login(landed_scene.consumer)
        answer = person.get(address)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
        assert not answer.cookies

    def test_its_words_do_not_depend_on_who_spoke_before(
        self, client: Client, address: str
    ) -> None:
        client.get("/accounts/login/", headers={"Cookie": "django_language=en"})
        answer = client.get(address, {"nonsense": "1"}, headers={"Cookie": "django_language=en"})
        assert "没有" in answer.json()["detail"]

    def test_an_unknown_address_below_it_is_a_problem_as_elsewhere(
        self, client: Client, address: str
    ) -> None:
        answer = client.get(f"{address}/nonsense/at/all")
        assert answer.status_code == 404
        assert answer["Content-Type"].startswith("application/problem+json")

    def test_a_page_takes_one_statement_of_django(
        self, client: Client, address: str, django_assert_num_queries: Any, sent: list[str]
    ) -> None:
        client.get(address)
        sent.clear()
        with django_assert_num_queries(0):  # who calls is asked beside Django's own cursors
            assert client.get(address).status_code == 200
        assert "oauth2_provider_accesstoken" in sent[0]
        assert len(sent) == 7  # the others travel together


class TestPrepared:
    def test_a_lost_connection_is_replaced_once(self, client: Client, address: str) -> None:
        assert client.get(address).status_code == 200
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (number,) = cursor.fetchone()
        with closing(connection.copy()) as elsewhere, elsewhere.cursor() as other:
            other.execute("SELECT pg_terminate_backend(%s)", [number])
        assert client.get(address).status_code == 200

    def test_a_table_that_was_altered_is_planned_anew(self, client: Client, address: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE planned (a int)")
            try:
                cursor.execute("INSERT INTO planned VALUES (7)")
                assert prepared.fetch_one("SELECT a FROM planned", []) == (7,)
                cursor.execute("ALTER TABLE planned ALTER a TYPE text")
                assert prepared.fetch_one("SELECT a FROM planned", []) == ("7",)
            finally:
                cursor.execute("DROP TABLE planned")


@given(
    rows=some.lists(
        some.tuples(
            some.integers(0, 2**62),
            some.none() | some.booleans() | some.text(max_size=5) | some.floats(),
        ),
        max_size=4,
    )
)
def test_rows_are_written_as_objects_of_their_names(rows: list[tuple[Any, ...]]) -> None:
    """As dictionaries are by another writer of JSON; no number is written two ways."""
    named = formats._named(("_id", "单价"))
    written = formats.ENCODER.encode([named(*row) for row in rows])
    same = [dict(zip(("_id", "单价"), row, strict=True)) for row in rows]
    assert orjson.loads(written) == orjson.loads(orjson.dumps(same))


@pytest.mark.django_db
def test_what_was_asked_is_forgotten_when_its_hour_is_over(scene: Scene, now: Any) -> None:
    for digest, age in (("a", 61), ("b", 59)):
        VerifiedKey.objects.create(
            system=scene.system, digest=digest, asked_at=now - timedelta(minutes=age)
        )
    assert quotas.forget_asked(now) == 1
    assert VerifiedKey.objects.get().digest == "b"
