"""Authlib's session of `requests`, driven: code, automatic refresh, at the door that Zendesk has.

That door says nothing of `expires_in` unless it is asked; `asks` says whether it is.
"""

import os

from authlib.integrations.requests_client import OAuth2Session

from driven import DOOR, ME, REDIRECT, consent, drive, expect
from support import pinned

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
LIFETIME = 1800


def asking(url, headers, body):
    return url, headers, f"{body}&expires_in={LIFETIME}"


class Driven:
    def open(self, account):
        self.account = account
        self.token = None

    def session(self):
        session = OAuth2Session(
            self.account["client_id"],
            self.account["client_secret"],
            token=self.token,
            token_endpoint=DOOR,
            token_endpoint_auth_method="client_secret_post",
            redirect_uri=REDIRECT,
            update_token=self.keep,
        )
        if self.account["asks"]:
            session.register_compliance_hook("refresh_token_request", asking)
        return session

    def keep(self, token, **_):
        self.token = dict(token)

    def redeem(self):
        asked = {"expires_in": LIFETIME} if self.account["asks"] else {}
        self.keep(self.session().fetch_token(DOOR, code=consent(self.account), **asked))

    def later(self, seconds):
        """As a program does that is started again by then and reads the token that it kept."""
        if "expires_at" in self.token:
            self.token["expires_at"] -= seconds

    def read(self):
        answer = self.session().get(ME)
        answer.raise_for_status()
        expect(answer.json()["user"]["email"], self.account["email"])

    def held(self):
        return {name: self.token.get(name) for name in ("access_token", "refresh_token")}


drive(Driven(), pinned("authlib"))
