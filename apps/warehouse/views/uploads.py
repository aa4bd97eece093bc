"""Give up a file that was begun and never finished."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from apps.core import access
from apps.core.errors import DomainError, NotAllowed
from apps.warehouse import operations as warehouse
from apps.warehouse.models import Upload


@login_required
@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    upload = access.rows(user, "view", Upload).select_related("dataset").filter(pk=pk).first()
    if upload is None:
        raise Http404
    try:
        warehouse.discard_upload(upload=upload, actor=user, at=timezone.now())
    except NotAllowed as error:
        raise PermissionDenied from error
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request, _("已放弃 %(name)s，已收到的部分删除") % {"name": upload.file_name}
        )
    return redirect("warehouse:table", upload.dataset.dashed_code)
