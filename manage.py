#!/usr/bin/env python
"""Run a management command; without DATABASE_URL the embedded server is started or joined."""

import sys

from django.core.management import execute_from_command_line

from config import environment
from config.embedded.errors import EmbeddedServerError

NEEDS_NO_DATABASE = {
    "help",
    "version",
    "--help",
    "--version",
    "collectstatic",
    "compilemessages",
    "makemessages",
    "startapp",
}

WORDS_ONLY = {"--help", "-h", "--sql"}


def main() -> None:
    """Choose settings and server, then hand over to Django."""
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    environment.choose_settings(
        "config.settings.demo" if command == "demo" else "config.settings.development"
    )
    if command not in NEEDS_NO_DATABASE and not WORDS_ONLY & set(sys.argv):
        try:
            environment.start_database()
        except EmbeddedServerError as error:
            sys.exit(f"数据库没有启动：{error}")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
