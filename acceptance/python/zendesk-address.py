"""Zendesk's own clients by Zendesk's own address: the program knows `acme` and its credentials, as in
production, and its environment leads it to `tokenry twin --https`.
"""

import os

import requests
from authlib.integrations.requests_client import OAuth2Session
from zdesk import Zendesk as Zdesk
from zendesk import Zendesk, models
from zenpy import Zenpy

from support import SETUP, exercise, finish, pinned

ZENDESK = "https://acme.zendesk.com"
EMAIL, API_TOKEN = os.environ["ZENDESK_EMAIL"], os.environ["ZENDESK_API_TOKEN"]

with exercise("zenpy is given a subdomain"):
    zenpy = Zenpy(subdomain="acme", email=EMAIL, token=API_TOKEN)
    assert zenpy.users.me().email == EMAIL

with exercise("zdesk is given an address"):
    zdesk = Zdesk(ZENDESK, EMAIL, zdesk_api=API_TOKEN)
    assert zdesk.users_me()["user"]["email"] == EMAIL

with exercise("python-zendesk is given a subdomain"):
    security = models.Security(username=f"{EMAIL}/token", password=API_TOKEN)
    zendesk = Zendesk(security=security, subdomain="acme")
    assert zendesk.users.show_current_user().user.email == EMAIL
    shown = zendesk.o_auth_tokens.show_token(oauth_token_id=1001).token
    assert shown.url == f"{ZENDESK}/api/v2/tokens/1001.json", shown.url

with exercise("Authlib refreshes, and insists on https"):
    assert "AUTHLIB_INSECURE_TRANSPORT" not in os.environ
    session = OAuth2Session(os.environ["ZENDESK_REFRESH_CLIENT_ID"], token_endpoint_auth_method="none")
    pair = session.refresh_token(
        f"{ZENDESK}/oauth/token", refresh_token=os.environ["ZENDESK_REFRESH_TOKEN"]
    )
    me = session.get(f"{ZENDESK}/api/v2/users/me.json").json()["user"]
    assert pair["access_token"] and me["id"], me

with exercise("an address that is not Zendesk's is not reached"):
    try:
        answer = requests.get("https://api.example.com/", timeout=10)
        raise AssertionError(f"answered {answer.status_code}")
    except requests.exceptions.ProxyError as error:
        assert "403" in str(error), error

with exercise("the journal has what they called"):
    calls = requests.get(f"{SETUP['base']}/twin/journal.json", timeout=10).json()["entries"]
    paths = [call["path"] for call in calls if call["status"] == 200]
    assert sum(path.startswith("/api/v2/users/me") for path in paths) == 4, paths

finish(*map(pinned, ["zenpy", "zdesk", "python-zendesk", "authlib"]))
