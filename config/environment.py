"""What the surroundings of the process say. The one file that reads environment variables.

`HUILIU_HOME` · `DATABASE_URL` · `GATEWAY_DATABASE_URL` · `DATABASE_REPLICA_URL` · `PORT` ·
`HUILIU_LISTEN` · `HUILIU_SECRET_KEY` · `HUILIU_ALLOWED_HOSTS` · `HUILIU_LOCKOUT_MINUTES` ·
`HUILIU_TEST_DATABASE` · `HUILIU_PULL_ALLOW` · `HUILIU_PUSH_ALLOW` · `EMAIL_URL` · `EMAIL_FROM` ·
`HUILIU_WEBHOOK_URL` · `HUILIU_WEBHOOK_SECRET` are described for operators in docs/install.md.
"""

import os
import secrets
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

from config import embedded

REPOSITORY = Path(__file__).resolve().parent.parent
OWNER_ROLE = "huiliu"
GATEWAY_ROLE = "huiliu_gateway"
DATABASE_NAME = "huiliu"


@dataclass
class _Joined:
    """The embedded server that this process uses, once it has joined one."""

    server: embedded.ServerInfo | None = None
    test_database: str = ""


_joined = _Joined()


def _variable(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def _whole_number(name: str, default: int) -> int:
    text = _variable(name, str(default))
    if not text.isdecimal():
        raise ImproperlyConfigured(f"{name} 应为整数，现在是 {text!r}")
    return int(text)


def home() -> Path:
    """The folder of everything that this installation keeps: database, files, keys."""
    return Path(_variable("HUILIU_HOME", str(REPOSITORY / "var"))).expanduser().absolute()


def port() -> int:
    """The port that the web process listens on."""
    return _whole_number("PORT", 8000)


def listen_address() -> str:
    """The address that the web process listens on: this machine only, unless told otherwise."""
    return _variable("HUILIU_LISTEN", "127.0.0.1")


def settings_module() -> str:
    """The dotted name of the settings in force."""
    return _variable("DJANGO_SETTINGS_MODULE", "config.settings.development")


def choose_settings(module: str) -> None:
    """Name the settings to be used where nobody has named any."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", module)


def for_children() -> dict[str, str]:
    """The variables of programs that this process starts: the same settings, unbuffered output."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": settings_module(),
        "PYTHONUNBUFFERED": "1",
    }


def secret_key() -> str:
    """The key that signs sessions and cursors; production must be given one.

    Raises:
        ImproperlyConfigured: under production settings, when HUILIU_SECRET_KEY is missing or short.
    """
    given = _variable("HUILIU_SECRET_KEY")
    if settings_module().endswith(".production") and len(given) < 50:
        raise ImproperlyConfigured("生产环境必须设置 HUILIU_SECRET_KEY（至少 50 个字符的随机串）")
    return given or _kept_secret(home() / "secret_key")


def _kept_secret(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if kept := path.read_text(encoding="ascii").strip():
            return kept
        raise ImproperlyConfigured(f"{path} 是空文件，删除后重新启动即可") from None
    made = secrets.token_urlsafe(64)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(made)
    return made


def allowed_hosts() -> list[str]:
    """The host names under which the portal is reached."""
    return [host.strip() for host in _variable("HUILIU_ALLOWED_HOSTS").split(",") if host.strip()]


def lockout() -> timedelta:
    """How long five failed sign-ins lock an account.

    Source: GB/T 22239-2019; the number from the government-cloud baseline (domain §6)
    """
    return timedelta(minutes=_whole_number("HUILIU_LOCKOUT_MINUTES", 10))


def pull_networks() -> list[str]:
    """Private networks in which sources may be read; none unless the operator lists them.

    Raises:
        ImproperlyConfigured: one is no network.
    """
    return _networks("HUILIU_PULL_ALLOW")


def push_networks() -> list[str]:
    """Private networks to which systems' events may be pushed; none unless the operator lists them.

    Raises:
        ImproperlyConfigured: one is no network.
    """
    return _networks("HUILIU_PUSH_ALLOW")


def trusted_proxies() -> list[str]:
    """Networks of the reverse proxies whose word on a caller's address is taken; none by default.

    Raises:
        ImproperlyConfigured: one is no network.
    """
    return _networks("HUILIU_TRUSTED_PROXIES")


def _networks(name: str) -> list[str]:
    named = [text.strip() for text in _variable(name).split(",") if text.strip()]
    for text in named:
        try:
            ip_network(text)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name} 中的 {text!r} 不是网段") from error
    return named


def mail_settings() -> dict[str, Any]:
    """Django's EMAIL_* from EMAIL_URL (smtp://user:password@host:587?tls=yes); empty without it."""
    url = urlsplit(_variable("EMAIL_URL"))
    if not url.hostname:
        return {}
    encrypted = url.scheme == "smtps"
    return {
        "EMAIL_HOST": url.hostname,
        "EMAIL_PORT": url.port or (465 if encrypted else 25),
        "EMAIL_HOST_USER": unquote(url.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(url.password or ""),
        "EMAIL_USE_SSL": encrypted,
        "EMAIL_USE_TLS": not encrypted and "tls=yes" in url.query,
        "EMAIL_TIMEOUT": 10,
        "DEFAULT_FROM_EMAIL": _variable("EMAIL_FROM", f"huiliu@{url.hostname}"),
    }


def webhook_settings() -> dict[str, str]:
    """Where notices are posted to, and the secret that signs them."""
    return {
        "url": _variable("HUILIU_WEBHOOK_URL"),
        "secret": _variable("HUILIU_WEBHOOK_SECRET"),
    }


# The database


def uses_embedded_server() -> bool:
    """Whether the program brings its own PostgreSQL, because no DATABASE_URL is given."""
    return not _variable("DATABASE_URL")


def start_database() -> None:
    """Start or join the embedded server, unless a server is given. Repeat-safe."""
    if uses_embedded_server() and _joined.server is None:
        _joined.server = embedded.ensure_running(home())


def prepare_test_environment() -> None:
    """Start or join the throw-away server and name a test database that no other run uses.

    To be called before settings are loaded (tests/conftest.py).
    """
    choose_settings("config.settings.test")
    os.environ.setdefault("HUILIU_HOME", str(embedded.test_home(REPOSITORY)))
    if uses_embedded_server():
        _joined.server = embedded.ensure_running(home(), test=True)
        embedded.drop_orphaned_test_databases(_joined.server)
    _joined.test_database = _variable("HUILIU_TEST_DATABASE", f"{DATABASE_NAME}_test_{os.getpid()}")


def database_settings() -> dict[str, Any]:
    """DATABASES["default"]: the server given, or the embedded one."""
    settings = _owner_connection() | {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
    if _joined.test_database:
        settings |= {"CONN_MAX_AGE": 0, "TEST": {"NAME": _joined.test_database}}
    return settings


def replica_settings() -> dict[str, Any] | None:
    """The streaming replica that answers reads of the data plane, when there is one."""
    url = _variable("DATABASE_REPLICA_URL")
    return _django_settings(url) if url else None


def gateway_settings() -> dict[str, Any]:
    """Where and as whom the data plane connects: host, port, user, password."""
    owner = _owner_connection()
    place = {"host": owner["HOST"], "port": owner["PORT"], "user": GATEWAY_ROLE, "password": ""}
    if url := _variable("GATEWAY_DATABASE_URL"):
        given = conninfo_to_dict(url)
        return place | {key: given[key] for key in place if key in given}
    if uses_embedded_server():
        place["password"] = _embedded_server().gateway_password
    return place


def _owner_connection() -> dict[str, Any]:
    if url := _variable("DATABASE_URL"):
        return _django_settings(url)
    server = _embedded_server()
    return {
        "NAME": DATABASE_NAME,
        "HOST": str(server.socket_folder),
        "PORT": str(server.port),
        "USER": OWNER_ROLE,
        "PASSWORD": server.owner_password,
        "OPTIONS": {},
    }


def _embedded_server() -> embedded.ServerInfo:
    """The joined server; before joining, how it would be reached (nothing is started)."""
    return _joined.server or embedded.describe(home())


def _django_settings(url: str) -> dict[str, Any]:
    given = dict(conninfo_to_dict(url))
    return {
        "NAME": given.pop("dbname", DATABASE_NAME),
        "HOST": given.pop("host", ""),
        "PORT": str(given.pop("port", "")),
        "USER": given.pop("user", OWNER_ROLE),
        "PASSWORD": given.pop("password", ""),
        "OPTIONS": given,
    }
