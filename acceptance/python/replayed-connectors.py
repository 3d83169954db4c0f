"""How connectors keep their tokens, replayed from what was reported of them, and driven.

What each report says is told where it is done; everything else is left out.
"""

import time

import requests

from driven import BASE, DOOR, ME, REDIRECT, consent, drive, expect
from zendesk_api import NetworkError, ParserError, ZendeskApi

LIFETIME = 1800


class Refused(Exception):
    pass


class Connector:
    """Redeems a code, keeps the pair, reads with it."""

    def open(self, account):
        self.account = account
        self.access_token = self.refresh_token = self.expires_at = None

    def client(self):
        return {name: self.account[name] for name in ("client_id", "client_secret")}

    def keep(self, pair):
        self.access_token, self.refresh_token = pair["access_token"], pair["refresh_token"]
        expires_in = pair.get("expires_in")
        self.expires_at = None if expires_in is None else time.time() + expires_in

    def later(self, seconds):
        if self.expires_at is not None:
            self.expires_at -= seconds

    def fetch_user(self, access_token):
        answer = requests.get(ME, headers={"Authorization": f"Bearer {access_token}"}, timeout=60)
        if not answer.ok:
            raise Refused(f"{answer.status_code} {answer.reason}")
        expect(answer.json()["user"]["email"], self.account["email"])

    def held(self):
        return {"access_token": self.access_token, "refresh_token": self.refresh_token}


class Nango(Connector):
    """Nango#6775: `expires_at` is computed from `expires_in` alone, and a connection without it is
    never refreshed (`no_expires_at`)."""

    asked = {}

    def token(self, grant):
        answer = requests.post(DOOR, data={**grant, **self.client(), **self.asked}, timeout=60)
        if not answer.ok:
            raise Refused(f"{answer.status_code} {answer.json().get('error')}")
        return answer.json()

    def redeem(self):
        code = {"grant_type": "authorization_code", "code": consent(self.account)}
        self.keep(self.token({**code, "redirect_uri": REDIRECT}))

    def read(self):
        if self.expires_at is not None and self.expires_at <= time.time():
            grant = {"grant_type": "refresh_token", "refresh_token": self.refresh_token}
            self.keep(self.token(grant))
        self.fetch_user(self.access_token)


class NangoSince(Nango):
    """Nango#6763: `expires_in` is a parameter of the code's exchange and of the refresh."""

    asked = {"expires_in": LIFETIME}


class Airbyte(Connector):
    """Airbyte#83815: the expiry is not kept at first, a missing one counts as long past, and so the
    check before a source is saved refreshes; the pair that this gives is dropped."""

    asked = {}

    def redeem(self):
        code = {"grant_type": "authorization_code", "code": consent(self.account)}
        query = {**code, "redirect_uri": REDIRECT, **self.client(), **self.asked}
        answer = requests.post(DOOR, params=query, timeout=60)
        answer.raise_for_status()
        self.keep(answer.json())
        self.check()

    def check(self):
        saved = self.held()
        self.read()
        self.access_token, self.refresh_token = saved["access_token"], saved["refresh_token"]
        self.expires_at = None

    def read(self):
        if self.expires_at is None or self.expires_at <= time.time():
            pair = self.refresh()
            # An hour, where the answer does not say.
            self.keep({"expires_in": 3600, **pair})
        self.fetch_user(self.access_token)

    def refresh(self):
        """Its framework goes on for five minutes after 429 and 5xx; the waits are short here."""
        grant = {"grant_type": "refresh_token", "refresh_token": self.refresh_token}
        for wait in [0.05] * 8 + [None]:
            data = {**grant, **self.client(), **self.asked}
            answer = requests.post(DOOR, data=data, timeout=60)
            if wait is None or not (answer.status_code == 429 or answer.status_code >= 500):
                break
            time.sleep(wait)
        if answer.status_code == 400:
            raise Refused("Refresh token is invalid or expired")
        answer.raise_for_status()
        return answer.json()


class AirbyteSince(Airbyte):
    """Airbyte#83815, mended: the code's exchange asks for `expires_in`, and the expiry is kept.
    That the refresh asks as well is not said there."""

    asked = {"expires_in": LIFETIME}

    def check(self):
        self.read()


class ZendeskApiRefresher(ZendeskApi):
    """zendesk_api_client_rb#593: after a 401 the pair is refreshed and the configuration updated;
    the call that was refused fails all the same."""

    def open(self, account):
        super().open({**account, "sign_in": "access token"})

    def redeem(self):
        """By other means: the gem has none."""
        code = {"grant_type": "authorization_code", "code": consent(self.account)}
        client = {name: self.account[name] for name in ("client_id", "client_secret")}
        query = {**code, **client, "redirect_uri": REDIRECT}
        self.take(requests.post(DOOR, data=query, timeout=60).json())

    def take(self, pair):
        self.account["access_token"] = pair["access_token"]
        self.account["refresh_token"] = pair["refresh_token"]

    def answered(self, answer):
        if answer.status_code != 401:
            return
        names = ("client_id", "client_secret", "refresh_token")
        grant = {name: self.account[name] for name in names}
        try:
            body = {"grant_type": "refresh_token", **grant}
            refreshed = requests.post(DOOR, json=body, timeout=60)
        except requests.RequestException as error:
            raise NetworkError(type(error).__name__) from error
        if not refreshed.ok:
            raise NetworkError(f"the server responded with status {refreshed.status_code}")
        try:
            self.take(refreshed.json())
        except ValueError as error:
            raise ParserError("unexpected end of input") from error

    def later(self, seconds):
        """It knows no expiry."""

    def read(self):
        self.me()

    def held(self):
        return {name: self.account[name] for name in ("access_token", "refresh_token")}


class ZendeskJavaClient:
    """zendesk-java-client#758: the access token is given when the client is built, there is no
    refresh, and every status but 2xx is an exception at once."""

    def open(self, account):
        self.account = account

    def me(self):
        headers = {"Authorization": f"Bearer {self.account['access_token']}"}
        answer = requests.get(f"{BASE}/api/v2/users/me.json", headers=headers, timeout=60)
        if not answer.ok:
            raise Refused(f"{answer.status_code} {answer.reason}")
        expect(answer.json()["user"]["email"], self.account["email"])


CONNECTORS = {
    "Nango": Nango,
    "Nango since": NangoSince,
    "Airbyte": Airbyte,
    "Airbyte since": AirbyteSince,
    "zendesk_api": ZendeskApiRefresher,
    "zendesk-java-client": ZendeskJavaClient,
}


class Driven:
    """Any of them: the account says which."""

    def open(self, account):
        self.connector = CONNECTORS[account["connector"]]()
        self.connector.open(account)

    def __getattr__(self, name):
        return getattr(self.connector, name)


drive(Driven(), "connectors")
