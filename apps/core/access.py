"""One rule per action answers both "which rows" and "this row".

An app registers, for a model and an action, a scope: the rows on which a person may act, as a `Q`.
Lists filter by it and single rows are looked up through it, so the two cannot disagree. The guards
that hold for every scope (active, signed in, belongs to a department) stand here, before any scope,
so that no scope can forget them.

Who stands in for somebody (代办) may act where that person may; the trail then names both.

Source: house rule (design §3.2)
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar, cast

from django.apps import apps
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from apps.core.errors import NotAllowed

Audience = Literal["members", "internal", "public", "confined"]
ModelT = TypeVar("ModelT", bound=Model)

NOBODY = Q(pk__in=[])
EVERYBODY = Q()


class Actor(Protocol):
    """What this module asks of a user; `accounts.User` is one, so is Django's anonymous user."""

    is_active: bool
    # Whether he is admitted to rules with the audience "confined" and to no other.
    is_confined: bool

    @property
    def is_authenticated(self) -> bool: ...


Scope = Callable[[Any], Q]
Ability = Callable[[Any], bool]


class UnknownAction(LookupError):
    """Nobody registered this action: a programming mistake, never a person's."""


@dataclass(frozen=True)
class Standing:
    """In whose name an act is done: by the actor, or by him for a principal he stands in for."""

    actor: Any
    principal: Any | None = None


@dataclass(frozen=True)
class _Rule:
    answer: Callable[[Any], Any]
    audience: Audience


_scopes: dict[tuple[str, str], _Rule] = {}
_abilities: dict[tuple[str, str], _Rule] = {}


def scope(model: str, *actions: str, audience: Audience = "members") -> Callable[[Scope], Scope]:
    """Register the rows of `model` ("app.Model") on which a person may do each of `actions`.

    `audience`: "members" need a department, "internal" users need none, "public" is everybody,
    "confined" are those alone who are admitted to nothing else (供应商).
    """

    def register(answer: Scope) -> Scope:
        for action in actions:
            _add(_scopes, model, action, _Rule(answer, audience))
        return answer

    return register


def ability(
    model: str, *actions: str, audience: Audience = "members"
) -> Callable[[Ability], Ability]:
    """Register who may do each of `actions` on `model` as such, where no row exists yet."""

    def register(answer: Ability) -> Ability:
        for action in actions:
            _add(_abilities, model, action, _Rule(answer, audience))
        return answer

    return register


def _add(registry: dict[tuple[str, str], _Rule], model: str, action: str, rule: _Rule) -> None:
    key = (model.lower(), action)
    if key in registry:
        raise ValueError(f"{model} already has a rule for {action}")
    registry[key] = rule


def rows(
    actor: Any,
    action: str,
    model: type[ModelT] | QuerySet[ModelT],
    *,
    at: datetime | None = None,
) -> QuerySet[ModelT]:
    """Return the rows on which the actor, or anybody he stands in for, may do the action."""
    queryset = model if isinstance(model, QuerySet) else model._default_manager.all()
    rule = _rule(_scopes, queryset.model, action)
    union: Q | None = None
    for person in _people(actor, at):
        if _is_admitted(person, rule.audience):
            answer = cast(Q, rule.answer(person))
            union = answer if union is None else _either(union, answer)
    return queryset.none() if union is None else queryset.filter(union)


def allowed(actor: Any, action: str, row: Model, *, at: datetime | None = None) -> bool:
    """Say whether the actor may do the action on this row, in his own name or as a stand-in."""
    return rows(actor, action, type(row), at=at).filter(pk=row.pk).exists()


def able(actor: Any, action: str, model: type[Model], *, at: datetime | None = None) -> bool:
    """Say whether the actor may do the action on the model as such (create, for one)."""
    rule = _rule(_abilities, model, action)
    return any(
        _is_admitted(person, rule.audience) and rule.answer(person) for person in _people(actor, at)
    )


def require(
    actor: Any, action: str, subject: Model | type[Model], *, at: datetime | None = None
) -> Standing:
    """Return in whose name the actor may act.

    Raises:
        NotAllowed: neither he nor anybody he stands in for may.
    """
    is_row = isinstance(subject, Model)
    rule = _rule(_scopes if is_row else _abilities, subject, action)
    for person in _people(actor, at):
        if not _is_admitted(person, rule.audience):
            continue
        if isinstance(subject, Model):
            found = type(subject)._default_manager.filter(rule.answer(person), pk=subject.pk)
            granted = found.exists()
        else:
            granted = bool(rule.answer(person))
        if granted:
            return Standing(actor, None if person is actor else person)
    raise NotAllowed(action=action)


def actions_of(model: type[Model] | Model) -> list[str]:
    """Return the row actions that are registered for a model."""
    label = model._meta.label_lower
    return sorted(action for (name, action) in _scopes if name == label)


def scopes() -> Iterator[tuple[type[Model], str]]:
    """Yield every registered (model, action); the architecture tests walk it."""
    for label, action in sorted(_scopes):
        yield apps.get_model(label), action


def abilities() -> Iterator[tuple[type[Model], str]]:
    """Yield every registered (model, action) of abilities."""
    for label, action in sorted(_abilities):
        yield apps.get_model(label), action


def _rule(registry: dict[tuple[str, str], _Rule], model: Model | type[Model], action: str) -> _Rule:
    try:
        return registry[model._meta.label_lower, action]
    except KeyError:
        raise UnknownAction(f"{model._meta.label}: {action}") from None


def _people(actor: Any, at: datetime | None) -> Iterator[Any]:
    yield actor
    if getattr(actor, "is_authenticated", False) and actor.is_active:
        yield from actor.principals(at or timezone.now())


def _is_admitted(person: Any, audience: Audience) -> bool:
    if audience == "public":
        return True
    if not (person.is_authenticated and person.is_active):
        return False
    if person.is_confined or audience == "confined":
        return bool(person.is_confined) and audience == "confined"
    return audience == "internal" or person.department_id is not None


def _either(left: Q, right: Q) -> Q:
    # An empty Q means every row, but `Q() | other` is just `other`.
    return EVERYBODY if not left or not right else left | right
