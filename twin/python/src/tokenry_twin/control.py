"""Calls to the addresses under ``/twin``."""

import http.client
import json
from typing import Any, Mapping, Optional
from urllib.parse import urlencode, urlsplit

from .errors import ControlError

#: As long as an answer may take, in seconds, besides what the call itself asks to wait.
_ANSWER_MAX = 10.0


class Control:
    """Speaks to a twin's control. It takes no proxy of the environment, and a connection for each
    call, so that threads may share it and nothing that tests do to HTTP clients concerns it."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._host, self._port = parts.hostname or "", parts.port

    def call(
        self,
        method: str,
        path: str,
        body: Optional[Mapping[str, Any]] = None,
        query: Optional[Mapping[str, Any]] = None,
        wait: float = 0.0,
    ) -> Any:
        """The JSON of the answer, ``None`` of one without a body. Raises :class:`ControlError`."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        asked = urlencode(given)
        target = f"{path}?{asked}" if asked else path
        sent = None if body is None else json.dumps(body)
        headers = {} if sent is None else {"Content-Type": "application/json"}
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_ANSWER_MAX + wait)
        try:
            connection.request(method, target, sent, headers)
            answer = connection.getresponse()
            status, text = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            told = f"the twin does not answer ({error!r}): has it been stopped?"
            raise ControlError(f"{method} {path}", None, told) from error
        finally:
            connection.close()
        return _read(f"{method} {path}", status, text)


def _read(call: str, status: int, text: bytes) -> Any:
    try:
        value = json.loads(text) if text.strip() else None
    except ValueError:
        raise ControlError(call, status, "the answer is no JSON: is this a twin?") from None
    if 200 <= status < 300:
        return value
    told = value.get("error_description") if isinstance(value, dict) else None
    raise ControlError(call, status, str(told or "it is refused without a reason"))
