"""The API's bases: errors in one shape, pages without gaps, rows that may be seen."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import Http404
from django.test import Client
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from apps.accounts.models import Department
from apps.core import access
from apps.core.api import (
    KeysetPagination,
    ScopedViewSet,
    lookups,
    problem_handler,
    problem_response,
    read_cursor,
    sign_cursor,
)
from apps.core.errors import Conflict, DomainError, InvalidInput, NotAllowed, NotFound
from apps.core.openapi import PROBLEM_TYPE
from tests.factories.accounts import DepartmentFactory


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (DomainError("不行"), 400, "domain_error"),
        (InvalidInput("不行", code="no_items"), 400, "no_items"),
        (NotAllowed(), 403, "not_allowed"),
        (NotFound(), 404, "not_found"),
        (Conflict(), 409, "conflict"),
        (exceptions.ValidationError({"name": ["必填"]}), 400, "invalid_input"),
        (ValidationError("必填"), 400, "invalid_input"),
        (Http404("secret table"), 404, "not_found"),
        (PermissionDenied("secret rule"), 403, "not_allowed"),
        (exceptions.PermissionDenied("secret rule"), 403, "not_allowed"),
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.AuthenticationFailed("secret"), 401, "not_authenticated"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.ParseError(), 400, "parse_error"),
        (exceptions.UnsupportedMediaType("text/plain"), 415, "unsupported_media_type"),
    ],
)
def test_it_translates_every_refusal_once(error: Exception, status: int, code: str) -> None:
    response = problem_handler(error, {})
    assert response is not None
    assert response.content_type == PROBLEM_TYPE
    body = response.data
    assert (response.status_code, body["status"], body["code"]) == (status, status, code)
    assert body["type"] == f"urn:huiliu:problem:{code}"
    assert body["detail"]
    assert "secret" not in str(body)


def test_it_leaves_a_fault_of_ours_a_fault() -> None:
    assert problem_handler(ZeroDivisionError("secret"), {}) is None


def test_it_names_the_faults_of_each_field() -> None:
    response = problem_handler(exceptions.ValidationError({"name": ["必填"]}), {})
    assert response is not None
    assert response.data["errors"] == {"name": ["必填"]}


def test_it_tells_facts_beside_the_words_but_no_empty_ones() -> None:
    response = problem_handler(InvalidInput("不行", field="limit", item=None), {})
    assert response is not None
    assert response.data["field"] == "limit"
    assert "item" not in response.data


def test_it_says_when_to_come_again_and_how_to_sign_in() -> None:
    throttled = problem_handler(exceptions.Throttled(wait=7), {})
    unknown = exceptions.NotAuthenticated()
    unknown.auth_header = 'Bearer realm="api"'  # type: ignore[attr-defined]
    refused = problem_handler(unknown, {})
    assert throttled is not None
    assert refused is not None
    assert throttled["Retry-After"] == "7"
    assert refused["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_view_outside_the_framework_answers_alike() -> None:
    response = problem_response(NotFound())
    assert (response.status_code, response["Content-Type"]) == (404, PROBLEM_TYPE)
    assert "没有找到" in response.content.decode()


def asked(**query: str) -> Request:
    return Request(APIRequestFactory().get("/", query))


KNOWN = {"status": "status", "grant": "grant", "department": "department__code"}


def filters(**query: str) -> dict[str, str]:
    return lookups(asked(**query), KNOWN, statuses=("open",), keys=("grant",))


def test_filters_are_read_as_lookups() -> None:
    given = filters(status="open", grant="12", department="001", limit="5", cursor="x")
    assert given == {"status": "open", "grant": "12", "department__code": "001"}
    assert filters(status="", grant="", department="") == {}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("colour", "red", "unknown_filter"),
        ("status", "gone", "unknown_status"),
        ("grant", "x", "invalid_filter"),
        ("grant", "-1", "invalid_filter"),
        ("grant", "٣", "invalid_filter"),
        ("grant", "9" * 19, "invalid_filter"),
        ("department", "a\x00b", "invalid_filter"),
    ],
)
def test_a_filter_that_there_is_not_is_named(name: str, value: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        filters(**{name: value})
    assert (refusal.value.code, refusal.value.details["field"]) == (code, name)


class TestPages:
    def read(self, queryset: Any, **query: str) -> tuple[list[Any], str | None]:
        pages = KeysetPagination()
        rows = pages.paginate_queryset(queryset, asked(**query))
        return rows, pages.get_paginated_response([]).data["next"]

    @pytest.mark.django_db
    @pytest.mark.parametrize("size", [1, 2, 3, 6, 7])
    def test_they_hold_every_row_once_newest_first(self, size: int) -> None:
        made = [DepartmentFactory() for _ in range(6)]
        mine = Department.objects.filter(pk__in=[each.pk for each in made])
        seen: list[Any] = []
        cursor: str | None = ""
        turns = 0
        while cursor is not None:
            rows, cursor = self.read(
                mine, limit=str(size), **({"cursor": cursor} if cursor else {})
            )
            seen += [row.pk for row in rows]
            turns += 1
        assert seen == sorted((each.pk for each in made), reverse=True)
        assert turns == -(-6 // size)

    @pytest.mark.django_db
    def test_a_row_that_arrives_in_between_moves_none_of_the_others(self) -> None:
        made = [DepartmentFactory() for _ in range(3)]
        everything = Department.objects.filter(pk__gte=made[0].pk)
        first, cursor = self.read(everything, limit="2")
        DepartmentFactory()
        second, _next = self.read(everything, limit="2", cursor=str(cursor))
        assert [row.pk for row in first + second] == [each.pk for each in reversed(made)]

    @pytest.mark.parametrize(
        "limit",
        [
            "0",
            "201",
            "-1",
            "1.5",
            "",
            "٣",
            "1e2",
            "9" * 5000,
            "00000000019999999999",
            "0" * 9 + "9" * 12,
        ],
    )
    def test_they_refuse_a_limit_that_there_is_not(self, limit: str) -> None:
        with pytest.raises(InvalidInput) as refusal:
            self.read(Department.objects.none(), limit=limit)
        assert refusal.value.code == "invalid_limit"

    def test_a_cursor_is_ours_or_refused(self) -> None:
        cursor = sign_cursor(41)
        assert read_cursor(cursor) == 41
        for wrong in ("x", "MQ", cursor[:-4], sign_cursor(42)[:4] + cursor[4:-3] + "AAA", "汉"):
            with pytest.raises(InvalidInput) as refusal:
                read_cursor(wrong)
            assert refusal.value.code == "cursor_invalid"


@pytest.mark.django_db
def test_a_viewset_shows_and_finds_the_rows_of_its_scope_only(
    monkeypatch: pytest.MonkeyPatch, provider: Any, inactive: Any
) -> None:
    monkeypatch.setattr(access, "_scopes", {})
    access.scope("accounts.Department", "view")(lambda actor: Q(pk=actor.department_id))
    other = DepartmentFactory()

    class Departments(ScopedViewSet):
        queryset = Department.objects.all()

    def seen_by(actor: Any) -> ScopedViewSet:
        view = Departments()
        view.request = asked()
        view.request.user = actor
        return view

    assert list(seen_by(provider).get_queryset()) == [provider.department]
    assert seen_by(provider).find(pk=provider.department_id) == provider.department
    with pytest.raises(NotFound):
        seen_by(provider).find(pk=other.pk)
    with pytest.raises(NotFound):
        seen_by(inactive).find(pk=inactive.department_id)


@pytest.mark.parametrize("method", ["get", "post", "put"])
def test_an_address_that_there_is_not_is_told_as_a_problem(method: str) -> None:
    response = getattr(Client(enforce_csrf_checks=True), method)("/api/v1/nothing")
    assert (response.status_code, response["Content-Type"]) == (404, PROBLEM_TYPE)
    assert response.json()["code"] == "not_found"
