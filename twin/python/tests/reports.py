"""An integration as many have one, on unmodified requests-oauthlib: it reads who it is and keeps
its pair of tokens. It knows nothing of a twin. The examples test it."""

from typing import Any, Callable, Dict

import requests
from requests_oauthlib import OAuth2Session
from oauthlib.oauth2 import OAuth2Error


class SignInAgain(Exception):
    """The grant is over: only a person who signs in helps."""


class Reports:
    """Calls the API as a user who has given consent."""

    def __init__(
        self,
        base_url: str,
        client_id: str,
        token: Dict[str, Any],
        keep: Callable[[Dict[str, Any]], None],
    ) -> None:
        self._base_url = base_url
        self._client_id = client_id
        self._keep = keep
        self._session = OAuth2Session(client_id, token=token)

    def me(self) -> Dict[str, Any]:
        """Who the user is. An access token that is refused is refreshed once."""
        answer = self._get("/api/v2/users/me.json")
        if answer.status_code == 401:
            self._refresh()
            answer = self._get("/api/v2/users/me.json")
        answer.raise_for_status()
        return answer.json()["user"]

    def _get(self, path: str) -> requests.Response:
        return self._session.get(self._base_url + path, timeout=10)

    def _refresh(self) -> None:
        """An answer that is lost is asked for once more: a server that forgives gives it again."""
        for is_last in (False, True):
            try:
                self._keep(
                    self._session.refresh_token(
                        f"{self._base_url}/oauth/tokens", client_id=self._client_id, timeout=10
                    )
                )
                return
            except requests.ConnectionError:
                if is_last:
                    raise
            except OAuth2Error as error:
                raise SignInAgain(error.description) from error
