"""One transaction per operation, and evidence of the attempts that were refused."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import transaction

from apps.core.errors import DomainError, InvalidInput
from apps.ledger import operations as ledger

P = ParamSpec("P")
ResultT = TypeVar("ResultT")


def attempt(verb: str, subject: str = "") -> Callable[[Callable[P, ResultT]], Callable[P, ResultT]]:
    """Run the operation in one transaction; record its refusal outside of it.

    `subject` is the keyword under which the operation takes the row it is about.

    Source: house rule (design §3.7)
    """

    def decorate(operation: Callable[P, ResultT]) -> Callable[P, ResultT]:
        @wraps(operation)
        def attempted(*args: P.args, **kwargs: P.kwargs) -> ResultT:
            try:
                with transaction.atomic():
                    return operation(*args, **kwargs)
            except DomainError as error:
                _record_refusal(verb, dict(kwargs), subject, error)
                raise

        return attempted

    return decorate


def _record_refusal(verb: str, arguments: dict[str, Any], subject: str, error: DomainError) -> None:
    ledger.record_refusal(
        arguments["actor"],
        verb,
        arguments.get(subject),
        at=arguments["at"],
        code=error.code,
        message=str(error),
        is_slip=isinstance(error, InvalidInput),
    )
