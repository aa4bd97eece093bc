"""`POST /oauth/token`: client credentials of an information system, and their evidence."""

import base64
import binascii
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from oauth2_provider.models import Application
from oauth2_provider.views import TokenView

from apps.core.errors import NotAllowed
from apps.ledger import operations as ledger

VERB = "sharing.draw_token"


class SystemTokenView(TokenView):
    """Gives a token for an hour; every draw and every refused attempt is written down."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        client_id = _client_id(request)
        application = (
            Application.objects.select_related("user__information_system")
            .filter(client_id=client_id, user__information_system__isnull=False)
            .first()
        )
        user = application.user if application else None
        system = user.information_system if user else None
        at = timezone.now()
        if response.status_code == 200:
            ledger.record(user, VERB, system, at=at, details={"client_id": client_id})
        elif user is not None:
            refusal = NotAllowed(code="invalid_client")
            ledger.record_refusal(
                user, VERB, system, at=at, code=refusal.code, message=str(refusal)
            )
        return response


def _client_id(request: HttpRequest) -> str:
    """Return the client id as given in the form or by HTTP Basic, "" when there is none."""
    if given := request.POST.get("client_id"):
        return given
    scheme, _space, encoded = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""
