"""Blind review: the authority's switch."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from apps.core import access
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.forms.blind_review import BlindReviewForm
from apps.sharing.models import BlindReviewOrder
from apps.sharing.views.moves import done


@login_required
def blind_review(request: HttpRequest) -> HttpResponse:
    """See whether review is blind; the authority's leader orders and lifts it."""
    user: Any = request.user
    orders = access.rows(user, "view", BlindReviewOrder).select_related("ordered_by", "lifted_by")
    in_force = queries.blind_review_order()
    may_change = (
        access.able(user, "order_blind_review", BlindReviewOrder)
        if in_force is None
        else access.allowed(user, "lift_blind_review", in_force)
    )
    if request.method == "POST" and not may_change:
        raise PermissionDenied
    form = BlindReviewForm(request.POST or None)
    is_sent = request.method == "POST" and form.is_valid()
    if is_sent and done(request, form, lambda at: _switch(user, in_force, form, at)):
        messages.success(request, _("已停止盲审") if in_force else _("已开启盲审"))
        return redirect("sharing:blind-review")
    context = {"in_force": in_force, "orders": orders, "may_change": may_change, "form": form}
    return render(request, "sharing/blind_review.html", context)


def _switch(
    user: Any, in_force: BlindReviewOrder | None, form: BlindReviewForm, at: datetime
) -> BlindReviewOrder:
    reason = form.cleaned_data["reason"]
    if in_force is None:
        return sharing.order_blind_review(actor=user, at=at, reason=reason)
    return sharing.lift_blind_review(order=in_force, actor=user, at=at, reason=reason)
