"""Event push (事件推送): a system's addresses, what was sent there, what did not arrive."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from apps.accounts.models import InformationSystem
from apps.core import access
from apps.core.errors import DomainError
from apps.sharing import operations as sharing
from apps.sharing.forms.webhooks import WebhookForm
from apps.sharing.models import Webhook, WebhookDelivery, WebhookEvent
from apps.sharing.operations.serving.webhooks.keeping import Registered
from apps.sharing.views.moves import done

PAGE_ROWS = 50
DEAD = Count("deliveries", filter=Q(deliveries__state="dead"))
MOVES = {
    "pause": sharing.pause_webhook,
    "resume": sharing.resume_webhook,
    "remove": sharing.remove_webhook,
}
FOR_GOOD = ("remove", "renew")


@login_required
def webhooks(request: HttpRequest) -> HttpResponse:
    """All addresses that I may see, those with messages that did not arrive first."""
    user: Any = request.user
    rows = access.rows(user, "view", Webhook).exclude(status="removed")
    rows = rows.select_related("system__department").annotate(dead=DEAD).order_by("-dead", "-pk")
    page = Paginator(rows, PAGE_ROWS).get_page(request.GET.get("page"))
    return render(request, "sharing/webhooks.html", {"page": page})


@never_cache
@login_required
def system_webhooks(request: HttpRequest, pk: int) -> HttpResponse:
    """A system's addresses; on POST one is registered and its secret shown this one time."""
    user: Any = request.user
    systems = access.rows(user, "view", InformationSystem).select_related("department")
    system = get_object_or_404(systems, pk=pk)
    may_register = access.allowed(user, "register_webhook", system)
    form = WebhookForm(request.POST or None)
    made: list[Registered] = []
    if request.method == "POST":
        if not may_register:
            raise PermissionDenied
        if form.is_valid() and done(
            request,
            form,
            lambda at: made.append(
                sharing.register_webhook(system=system, actor=user, at=at, **form.cleaned_data)
            ),
        ):
            form = WebhookForm()
    rows = access.rows(user, "view", Webhook).filter(system=system).exclude(status="removed")
    context = {
        "system": system,
        "form": form,
        "secret": made[0].secret if made else "",
        "may_register": may_register,
        "held": rows.annotate(dead=DEAD).order_by("-pk"),
    }
    return render(request, "sharing/system_webhooks.html", context)


@never_cache
@login_required
def webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """One address and what was sent there; on POST it gets another secret, shown this one time."""
    user: Any = request.user
    row = _webhook_or_404(request, pk)
    secret = ""
    if request.method == "POST":
        try:
            secret = sharing.renew_secret(webhook=row, actor=user, at=timezone.now())
        except DomainError as error:
            messages.error(request, str(error))
            return redirect("sharing:webhook", pk=pk)
    state = request.GET.get("state", "")
    sent = row.deliveries.all()
    if state in WebhookDelivery.State.values:
        sent = sent.filter(state=state)
    page = Paginator(sent.order_by("-pk"), PAGE_ROWS).get_page(request.GET.get("page"))
    context = {
        "webhook": row,
        "secret": secret,
        "page": page,
        "state": state,
        "states": WebhookDelivery.State.choices,
        "event_labels": [label for value, label in WebhookEvent.choices if value in row.events],
        "may_resend": any(access.allowed(user, "resend", each) for each in page.object_list[:1]),
        "may": {
            action: access.allowed(user, action, row)
            for action in ("pause", "resume", "remove", "renew", "ping")
        },
    }
    return render(request, "sharing/webhook.html", context)


@login_required
def confirm(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Say what cannot be undone before it is done: the address removed, its secret replaced."""
    row = _webhook_or_404(request, pk)
    if name not in FOR_GOOD or row.status == Webhook.Status.REMOVED:
        raise Http404
    if not access.allowed(request.user, name, row):
        raise PermissionDenied
    context = {
        "webhook": row,
        "is_removal": name == "remove",
        "waiting": row.deliveries.filter(state=WebhookDelivery.State.WAITING).count(),
    }
    return render(request, "sharing/webhook_confirm.html", context)


@require_POST
@login_required
def act(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Pause, resume, remove an address, or send a message that says nothing."""
    user: Any = request.user
    row = _webhook_or_404(request, pk)
    try:
        if name == "ping":
            sharing.ping(webhook=row, actor=user, at=timezone.now())
            messages.success(request, _("试推送已排队，一分钟内可以看到结果"))
        elif name in MOVES:
            MOVES[name](webhook=row, actor=user, at=timezone.now())
            messages.success(request, _("已办理"))
        else:
            raise Http404
    except DomainError as error:
        messages.error(request, str(error))
    if name == "remove":
        return redirect("sharing:system-webhooks", pk=row.system_id)
    return redirect("sharing:webhook", pk=pk)


@require_POST
@login_required
def resend(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Send again what did not arrive."""
    user: Any = request.user
    row = _webhook_or_404(request, pk)
    delivery = get_object_or_404(row.deliveries, pk=number)
    try:
        sharing.resend(delivery=delivery, actor=user, at=timezone.now())
        messages.success(request, _("已重新排队，一分钟内推送"))
    except DomainError as error:
        messages.error(request, str(error))
    return redirect("sharing:webhook", pk=pk)


def _webhook_or_404(request: HttpRequest, pk: int) -> Webhook:
    rows = access.rows(request.user, "view", Webhook).select_related("system__department")
    return get_object_or_404(rows, pk=pk)
