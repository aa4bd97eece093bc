"""An information system that hands in files: it asks again until it has an answer."""

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from tests.faults.expected import Load

PATIENCE_SECONDS = 600


class Sender:
    """Pushes a load and waits for its end, through whatever happens to the portal meanwhile."""

    def __init__(self, address: str, scene: dict[str, Any]) -> None:
        self._address = address
        self._scene = scene
        self._token = ""

    def push(self, load: Load, *, key: str) -> int:
        """Hand the file in under its key, again and again until it is taken; return the batch."""
        path = f"/api/v1/batches/{self._scene['dataset']}?mode={load.mode}&declared={load.declared}"
        headers = {"Content-Type": "text/csv", "Idempotency-Key": key}
        batch: int = self._until_answered("POST", path, load.content, headers)["id"]
        return batch

    def wait(self, batch: int) -> dict[str, Any]:
        """Ask for the batch until it is finished; return it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self._until_answered("GET", f"/api/v1/batches/{batch}")
            if answer["is_finished"]:
                return answer
            if time.monotonic() > deadline:
                raise RuntimeError(f"batch {batch} is not finished: {answer}")
            time.sleep(0.3)

    def _until_answered(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self._asked(method, path, body, headers or {})
            except urllib.error.HTTPError as error:
                if error.code == 401:
                    self._token = ""
                elif error.code < 500 and error.code != 409:
                    raise RuntimeError(error.read().decode()) from error
            except (OSError, http.client.HTTPException):
                pass
            if time.monotonic() > deadline:
                raise RuntimeError(f"no answer to {method} {path}")
            time.sleep(0.5)

    def _asked(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> dict[str, Any]:
        if not self._token:
            self._token = self._new_token()
        request = urllib.request.Request(
            f"{self._address}{path}",
            data=body or None,
            method=method,
            headers={**headers, "Authorization": f"Bearer {self._token}"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            read: dict[str, Any] = json.loads(answer.read())
            return read

    def _new_token(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._scene["client_id"],
            "client_secret": self._scene["client_secret"],
        }
        request = urllib.request.Request(
            f"{self._address}/oauth/token", data=urllib.parse.urlencode(form).encode()
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            token: str = json.loads(answer.read())["access_token"]
            return token
