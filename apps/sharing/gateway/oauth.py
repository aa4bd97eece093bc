"""How django-oauth-toolkit behaves here: tokens act as the service user of their system.

Settings: OAUTH2_VALIDATOR_CLASS names `SystemValidator`, OAUTH2_SERVER_CLASS oauthlib's
`BackendApplicationServer`, which knows client credentials and nothing else.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from django.utils import timezone
from oauth2_provider.models import Application
from oauth2_provider.oauth2_validators import OAuth2Validator

from apps.accounts.models import InformationSystem
from apps.sharing.gateway.refusals import GrantRefused
from apps.sharing.models import Credential

UNUSED_DAYS: Final = 180
OPEN_TO_TESTS: Final = "/api/v1/datasets"


class SystemValidator(OAuth2Validator):
    """Client credentials of information systems that are in use."""

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        """Refuse retired systems, disabled service users, and credentials long unused.

        Source: GB/T 22239-2019 第三级; 180 days from the government-cloud baseline (domain §6)
        """
        if not super().validate_grant_type(client_id, grant_type, client, request, *args, **kwargs):
            return False
        return is_usable(client, at=timezone.now())

    def _create_access_token(self, expires: datetime, request: Any, *args: Any, **kw: Any) -> Any:
        """Let the token act as the system's service user; the library would leave it to nobody."""
        request.user = request.client.user
        Application.objects.filter(pk=request.client.pk).update(updated=timezone.now())
        return super()._create_access_token(expires, request, *args, **kw)

    def validate_bearer_token(self, token: str, scopes: list[str], request: Any) -> bool:
        """Refuse the tokens of a disabled service user or retired system at once.

        One of a credential for tests opens the catalogue and nothing that holds or takes data; the
        data plane, which does not ask here, shows it invented rows.

        Raises:
            GrantRefused: `not_in_test`; the token is good, and the engineer should not look for
                what is wrong with it.
        """
        if not super().validate_bearer_token(token, scopes, request):
            return False
        environment = request.client and _environment_in_service(request.client)
        if environment == Credential.Environment.TEST:
            if _is_open_to_tests(request):
                return True
            raise GrantRefused.because("not_in_test")
        return bool(environment)


def is_usable(application: Any, *, at: datetime) -> bool:
    """Say whether tokens may be drawn with the credential."""
    return application.updated > at - timedelta(days=UNUSED_DAYS) and is_in_service(application)


def _is_open_to_tests(request: Any) -> bool:
    path = urlsplit(request.uri).path
    return request.http_method in {"GET", "HEAD"} and path.startswith(OPEN_TO_TESTS)


def is_in_service(application: Any) -> bool:
    """Say whether the credential is good, its system runs and its service user is active."""
    return _environment_in_service(application) is not None


def _environment_in_service(application: Any) -> str | None:
    """Return for which environment the credential is good now; None when it is not."""
    good = Credential.objects.filter(
        application=application.pk,
        status=Credential.Status.ACTIVE,
        expires_at__gt=timezone.now(),
        system__in=InformationSystem.objects.in_service(),
    )
    return good.values_list("environment", flat=True).first()
