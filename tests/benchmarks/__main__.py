"""`make bench`: measure in a database of its own, made for the run and removed after it.

`python -m tests.benchmarks [part …]` measures parts alone. Without DATABASE_URL the embedded server
is started in a fresh folder, with the settings it has in the demo: durable, not those of the tests.
"""

import importlib
import os
import pkgutil
import shutil
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
REPORT = REPOSITORY / "var" / "bench" / "latest.json"


def main() -> int:
    folder = REPOSITORY / "var" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="home-", dir=folder))
    home.chmod(0o755)
    try:
        return _measure(home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _measure(home: Path) -> int:
    os.environ["HUILIU_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"

    from config import embedded, environment

    environment.start_database()
    try:
        import django

        django.setup()
        from django.core.management import call_command

        from tests.benchmarks import harness

        call_command("migrate", verbosity=0)
        for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
            if module.name.startswith("test_"):
                importlib.import_module(f"tests.benchmarks.{module.name}")
        return 0 if harness.run(sys.argv[1:], REPORT) else 1
    finally:
        embedded.leave()


if __name__ == "__main__":
    sys.exit(main())
