"""manage.py serve: web and worker together, until told to stop."""

import http.client
import socket
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.console.management.processes import Child, Supervisor
from config import environment

WEB_WORKERS = 2
WEB_THREADS = 8  # they wait for the database most of the time
JOBS_AT_ONCE = 3  # one of them may be the making of a large file


class Command(BaseCommand):
    """Start the web server and the worker, restart what dies, end both on a signal."""

    help = "启动网站与后台任务进程；Ctrl-C 停止。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=environment.listen_address())
        parser.add_argument("--port", type=int, default=environment.port())
        parser.add_argument("--workers", type=int, default=WEB_WORKERS)

    def handle(self, *, host: str, port: int, workers: int, **options: Any) -> None:
        self.check(databases=["default"])  # among others: no demonstration in production
        require_free_port(host, port)
        children = [
            Child("网站", web_command(host, port, workers)),
            Child("后台任务", worker_command()),
        ]
        Supervisor(children, self.stderr.write).run(lambda: self._announce(host, port))

    def _announce(self, host: str, port: int) -> bool:
        if not _answers(host, port):
            return False
        self.stdout.write(self.style.SUCCESS(f"Huiliu is ready at http://{host}:{port}"))
        self.stdout.flush()
        return True


def web_command(host: str, port: int, workers: int) -> list[str]:
    """granian with worker processes; each request has a thread of its own."""
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "config.wsgi:application"]
    command += ["--host", host, "--port", str(port), "--workers", str(workers)]
    command += ["--blocking-threads", str(WEB_THREADS), "--respawn-failed-workers"]
    command += ["--workers-kill-timeout", "10s", "--log-level", "error"]
    return [*command, "--working-dir", str(settings.BASE_DIR)]


def worker_command() -> list[str]:
    """The job worker of procrastinate."""
    manage = str(settings.BASE_DIR / "manage.py")
    worker = [sys.executable, manage, "procrastinate", "worker"]
    return [*worker, "--concurrency", str(JOBS_AT_ONCE), "--shutdown-graceful-timeout", "10"]


def require_free_port(host: str, port: int) -> None:
    """Refuse in words when another program listens there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"端口 {port} 已被占用或不可用（{error.strerror}）："
                "停止占用它的程序，或用 PORT=8080 换一个端口"
            ) from error


def _answers(host: str, port: int) -> bool:
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    connection = http.client.HTTPConnection(local, port, timeout=5)
    try:
        connection.request("GET", "/health/live", headers={"Host": "localhost"})
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
