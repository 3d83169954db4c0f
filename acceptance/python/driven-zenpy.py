"""zenpy, driven: who calls, and a user. It knows nothing of tokens and clients."""

import os
from urllib.parse import urlsplit

from zenpy import Zenpy

from driven import BASE, drive, expect
from support import pinned

os.environ["ZENPY_FORCE_SCHEME"] = "http"
SUBDOMAIN, DOMAIN = urlsplit(BASE).netloc.split(".", 1)


class Driven:
    def open(self, account):
        self.account = account
        if account["sign_in"] == "access token":
            credentials = {"oauth_token": account["access_token"]}
        else:
            credentials = {"email": account["email"], "token": account["api_token"]}
        # Without its cache: each call is to be a call.
        self.client = Zenpy(subdomain=SUBDOMAIN, domain=DOMAIN, **credentials)
        self.client.disable_caching()

    def me(self):
        expect(self.client.users.me().email, self.account["email"])

    def show_user(self):
        expect(self.client.users(id=self.account["user"]).email, self.account["email"])


drive(Driven(), pinned("zenpy"))
