"""The Ruby gem `zendesk_api`, replayed: the requests that its version 3.1.1 sends, with the
headers that it sends them with, and what it makes of each answer. `retry` is on, as its
documentation has it.

It saves and deletes through the record's `url`, lists tokens by page number and clients by cursor,
and sends a call once more after 429 and 503, having waited as long as `Retry-After` says.
"""

import time

import requests

from driven import BASE, expect

VERSION = "3.1.1"
API = f"{BASE}/api/v2"
DEFAULT_RETRY_AFTER = 10


class RecordNotFound(Exception):
    pass


class RecordInvalid(Exception):
    pass


class NetworkError(Exception):
    pass


class ParserError(Exception):
    pass


class ZendeskApi:
    def open(self, account):
        self.account = account

    def authorization(self):
        if self.account["sign_in"] == "access token":
            return {"headers": {"Authorization": f"Bearer {self.account['access_token']}"}}
        return {"auth": (f"{self.account['email']}/token", self.account["api_token"])}

    def send(self, method, address, **arguments):
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip;q=1.0,deflate;q=0.6,identity;q=0.3",
            "User-Agent": f"ZendeskAPI Ruby {VERSION}",
        }
        authorization = self.authorization()
        headers.update(authorization.pop("headers", {}))
        try:
            return requests.request(
                method, address, headers=headers, timeout=60, allow_redirects=False,
                **authorization, **arguments,
            )
        except requests.RequestException as error:
            raise NetworkError(type(error).__name__) from error

    def call(self, method, path, **arguments):
        address = path if path.startswith("http") else f"{API}/{path}"
        answer = self.send(method, address, **arguments)
        if answer.status_code in (429, 503):
            time.sleep(int(answer.headers.get("Retry-After", DEFAULT_RETRY_AFTER)))
            answer = self.send(method, address, **arguments)
        self.answered(answer)
        if answer.status_code == 404:
            raise RecordNotFound("the server responded with status 404")
        if answer.status_code in (413, 422):
            raise RecordInvalid(answer.json().get("details") or answer.json().get("description"))
        if not (200 <= answer.status_code < 300 or answer.status_code == 304):
            raise NetworkError(f"the server responded with status {answer.status_code}")
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        try:
            return answer.json() if is_json and answer.text.strip() else None
        except ValueError as error:
            raise ParserError("unexpected end of input") from error

    def answered(self, answer):
        """Before what is wrong is told."""

    def me(self):
        user = self.call("GET", "users/me", params={"id": "me"})["user"]
        expect(user["email"], self.account["email"])

    def list_tokens(self):
        page, listed = 1, []
        while page is not None:
            body = self.call("GET", "oauth/tokens", params={"page": page, "per_page": 2})
            listed += body["tokens"]
            page = page + 1 if body["next_page"] else None
        expect(len({token["id"] for token in listed}), self.account["tokens"])

    def create_token(self):
        """Not the gem's: its tokens are read and destroyed alone."""
        wanted = {"token": {"client_id": self.account["client"], "scopes": ["read"]}}
        self.made = self.call("POST", "oauth/tokens", json=wanted)["token"]

    def show_token(self):
        shown = self.call("GET", f"oauth/tokens/{self.made['id']}", params={"id": self.made["id"]})
        expect(shown["token"]["id"], self.made["id"])
        self.made = shown["token"]

    def revoke_token(self):
        self.call("DELETE", self.made["url"])

    def list_clients(self):
        body = self.call("GET", "oauth/clients", params={"page[size]": 100})
        listed = body["clients"]
        while body["meta"]["has_more"]:
            body = self.call("GET", body["links"]["next"])
            listed += body["clients"]
        expect([client["id"] for client in listed], [self.account["client"]])

    def save_client(self):
        client = self.call("GET", f"oauth/clients/{self.account['client']}")["client"]
        saved = self.call("PUT", client["url"], json={"client": {"company": "Acme & Sons"}})
        expect(saved["client"]["company"], "Acme & Sons")

