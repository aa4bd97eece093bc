"""Settings that hold everywhere; what differs is in development, production, demo and test."""

from pathlib import Path

import django_stubs_ext
from django.utils.translation import gettext_lazy as _

from apps.console.unfold import UNFOLD  # noqa: F401 a setting
from config import environment

django_stubs_ext.monkeypatch()  # generic classes of Django may be subscripted in annotations

BASE_DIR = Path(__file__).resolve().parent.parent.parent
HUILIU_HOME = environment.home()
SECRET_KEY = environment.secret_key()
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]

HUILIU_APPS = [
    "apps.console",
    "apps.supervision",
    "apps.opening",
    "apps.disputes",
    "apps.sharing",
    "apps.fusion",
    "apps.quality",
    "apps.warehouse",
    "apps.catalog",
    "apps.standards",
    "apps.clocks",
    "apps.ledger",
    "apps.accounts",
    "apps.core",
]

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.guardian",
    "unfold.contrib.simple_history",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    *HUILIU_APPS,
    "django.contrib.admin",
    "guardian",
    "simple_history",
    "django_filters",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "oauth2_provider",
    "procrastinate.contrib.django",
    "axes",
    "allauth",
    "allauth.account",
    "allauth.mfa",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "apps.sharing.middleware.DataPlane",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "apps.accounts.middleware.ChosenLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "apps.accounts.middleware.OneLogin",
    "apps.accounts.middleware.IdleEnd",
    "apps.accounts.middleware.ProfileLanguage",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "apps.sharing.middleware.Confined",
    "apps.accounts.middleware.FreshPassword",
    "apps.accounts.middleware.SecondFactor",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": environment.database_settings()}
GATEWAY = environment.gateway_settings()
EXPORTS_AT_ONCE = 1  # files of grants that are made at the same time, over all
EXPORTS_WAITING = 5  # of one grant, queued or being made
EXPORTS_KEPT = 20  # of one grant, ready to be fetched
EXPORT_DAYS = 7  # that a finished file is kept
VERIFIED_KEYS_AN_HOUR = 10_000  # different records that a system may ask to verify
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ATOMIC_REQUESTS = False

# Who signs in
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None  # guardian: nobody who is not signed in has rights on an object
GUARDIAN_MONKEY_PATCH_USER = False
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/work/"
LOGOUT_REDIRECT_URL = "/"
SESSION_COOKIE_AGE = 12 * 3600  # a working day at most; idleness ends it earlier
HUILIU_IDLE_MINUTES = 30  # domain §6
HUILIU_PASSWORD_DAYS: int | None = 90  # domain §6
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "apps.accounts.password_rules.LongEnough"},
    {"NAME": "apps.accounts.password_rules.ThreeClasses"},
    {"NAME": "apps.accounts.password_rules.NotTheLastFive"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = environment.lockout()
AXES_LOCKOUT_PARAMETERS = ["username"]
AXES_HANDLER = "apps.ledger.sign_in.RecordedSignIn"  # five failures, and evidence of each
AXES_RESET_ON_SUCCESS = True
SILENCED_SYSTEM_CHECKS = ["axes.W006"]  # five failures lock the account, wherever they come from
ACCOUNT_ADAPTER = "apps.accounts.adapter.ClosedSignUp"  # staff are registered, nobody signs up
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
HUILIU_SECOND_FACTOR_REQUIRED = True

# How it speaks
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("简体中文")), ("en", _("英文"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["config.formats"]
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = HUILIU_HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = HUILIU_HOME / "media"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "oauth2_provider.contrib.rest_framework.OAuth2Authentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": [
        "apps.core.json_bodies.StrictJSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "apps.core.openapi.DescribedSchema",
    "EXCEPTION_HANDLER": "apps.core.api.problem_handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Huiliu 汇流 API",
    "DESCRIPTION": "城市数据归集共享平台的接口。用法和例子见 docs/api.md。",
    "OAUTH2_FLOWS": ["clientCredentials"],
    "OAUTH2_TOKEN_URL": "/oauth/token",
    "TAGS": [
        {"name": "token", "description": "访问令牌"},
        {"name": "data", "description": "按授权读取数据"},
        {"name": "datasets", "description": "数据目录"},
        {"name": "demands", "description": "数据需求"},
        {"name": "duties", "description": "责任清单、权责事项和责任落实看板"},
        {"name": "upward", "description": "目录上报和上级目录"},
        {"name": "requests", "description": "共享申请"},
        {"name": "tasks", "description": "工作任务和各单位的填报"},
        {"name": "grants", "description": "授权"},
        {"name": "batches", "description": "归集批次"},
        {"name": "corrections", "description": "校核"},
        {"name": "quality", "description": "数据质量：得分、规则、检查、质量问题和整改工单"},
    ],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.sharing.api.documents.add_token",
    ],
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "BatchStatusEnum": "apps.warehouse.models.Batch.Status",
        "RequestStatusEnum": "apps.sharing.models.SharingRequest.Status",
        "GrantStatusEnum": "apps.sharing.models.Grant.Status",
        "UrgencyKindEnum": "apps.sharing.models.Urgency.Kind",
        "ExportStatusEnum": "apps.sharing.models.Export.Status",
        "ExportFormatEnum": "apps.sharing.models.Export.Format",
        "DatasetStatusEnum": "apps.catalog.models.DatasetStatus",
        "ChangeStatusEnum": "apps.catalog.models.ChangeStatus",
        "ScopeEnum": "apps.catalog.models.CatalogImport.Scope",
        "CorrectionStatusEnum": "apps.quality.models.CorrectionStatus",
        "CorrectionScopeEnum": "apps.quality.models.CorrectionScope",
        "DemandStatusEnum": "apps.catalog.models.DemandStatus",
        "DutyStatusEnum": "apps.catalog.models.DutyStatus",
        "ResponsibilityListStatusEnum": "apps.catalog.models.ResponsibilityListStatus",
        "UpwardPackageStatusEnum": "apps.catalog.models.UpwardPackage.Status",
        "QualityRunStatusEnum": "apps.quality.models.QualityRun.Status",
        "FindingStatusEnum": "apps.quality.models.Finding.Status",
        "WorkOrderStatusEnum": "apps.quality.models.WorkOrder.Status",
        "QualityRuleKindEnum": "apps.quality.models.RuleKind",
        "OriginEnum": "apps.catalog.models.duty.DutyOrigin",
        "QualityRuleOriginEnum": "apps.quality.models.QualityRule.Origin",
        "AssessmentKindEnum": "apps.catalog.models.AssessmentKind",
        "ModeTypeEnum": "apps.catalog.models.ModeType",
        "UploadStatusEnum": "apps.warehouse.models.Upload.Status",
        "BatchModeEnum": "apps.warehouse.models.Batch.Mode",
        "SharingModeEnum": "apps.sharing.models.Mode",
        "RecertificationOutcomeEnum": "apps.sharing.models.Recertification.Outcome",
        "PlannedStopStatusEnum": "apps.sharing.models.PlannedStop.Status",
        "ServiceChangeStatusEnum": "apps.sharing.models.ServiceChange.Status",
        "ServiceChangeKindEnum": "apps.sharing.models.ServiceChange.Kind",
        "DisposalStatusEnum": "apps.sharing.models.Disposal.Status",
        "DisposalOutcomeEnum": "apps.sharing.models.Disposal.Outcome",
    },
}
OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth2_provider.Application"  # as the library has it
OAUTH2_PROVIDER = {
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    "SCOPES": {"data": "read granted data and push batches"},
    "DEFAULT_SCOPES": ["data"],
    "OAUTH2_SERVER_CLASS": "oauthlib.oauth2.BackendApplicationServer",
    "OAUTH2_VALIDATOR_CLASS": "apps.sharing.gateway.oauth.SystemValidator",
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    }
}

# The house's own switches
HUILIU_JOBS = True
HUILIU_DEMO = False
HUILIU_DEMO_ACCOUNTS: list[tuple[str, str]] = []
HUILIU_NOTICE_CHANNELS: tuple[str, ...] = ("in_site",)
HUILIU_NOTICE_WEBHOOK = {"url": "", "secret": ""}
HUILIU_CLOSING_TIME = "17:30"  # what arrives later counts as the next working day [house]
HUILIU_URGENT_GRANT_DAYS = 15  # the longest temporary grant of an urgent request [house]
PROCRASTINATE_ON_APP_READY = None
HUILIU_PROPOSAL_WAIT_SECONDS = 4  # a page waits so long for a draft from a file [house]
HUILIU_UPLOAD_DAYS = 14  # an unfinished upload without a new part is given up after [house]
HUILIU_TRUSTED_PROXIES = environment.trusted_proxies()
HUILIU_PUSH_ALLOW = environment.push_networks()  # private networks to which events may be sent
HUILIU_PULL_ALLOW = environment.pull_networks()  # private networks in which sources may be read
HUILIU_PULL_ROWS = 100_000  # rows of one batch of a pull, and up to the end of a watermark's value
HUILIU_PULL_BYTES = 2 << 30  # of a file fetched over HTTP
