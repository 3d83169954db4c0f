"""requests-oauthlib: code with PKCE, use, automatic refresh, revocation; at both doors."""

import os

import requests
from oauthlib.oauth2 import BackendApplicationClient
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError, InvalidScopeError
from requests_oauthlib import OAuth2Session

from support import BASE, SETUP, Visitor, current, exercise, finish, pinned

# The library asks for this before it speaks plain http, which is for loopback only here.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

VERSION = pinned("requests-oauthlib")
CONFIDENTIAL = SETUP["confidential"]
PUBLIC = SETUP["public"]
REDIRECT = "http://127.0.0.1:7314/callback"
AUTHORIZE = f"{BASE}/oauth/authorizations/new"
STANDARD = f"{BASE}/oauth/token"
ZENDESK = f"{BASE}/oauth/tokens"
ME = f"{BASE}/api/v2/users/me.json"

visitor = Visitor(SETUP["user"])


def session(client, **arguments):
    scope = ["read", "write"]
    return OAuth2Session(
        client["identifier"], redirect_uri=REDIRECT, scope=scope, pkce="S256", **arguments
    )


def consent(oauth, **parameters):
    """The address that the consent of this session leads to."""
    address, state = oauth.authorization_url(AUTHORIZE, **parameters)
    answer = visitor.authorize(address)
    assert answer.startswith(REDIRECT) and f"state={state}" in answer, answer
    return answer


def fetch(oauth, door, client, answer, **arguments):
    """A public client names itself; a confidential one authenticates by HTTP Basic."""
    if "secret" in client:
        arguments["client_secret"] = client["secret"]
    else:
        arguments["include_client_id"] = True
    return oauth.fetch_token(door, authorization_response=answer, **arguments)


def authentication(client):
    """What the library adds to a refresh: nothing, so it is given here."""
    if "secret" in client:
        return {"client_id": client["identifier"], "client_secret": client["secret"]}
    return {"client_id": client["identifier"]}


for name, door in [("/oauth/token", STANDARD), ("/oauth/tokens", ZENDESK)]:
    for kind, client in [("confidential", CONFIDENTIAL), ("public", PUBLIC)]:
        with exercise(f"{name}, {kind}: code with PKCE, and the token is used"):
            oauth = session(client)
            token = fetch(oauth, door, client, consent(oauth))
            assert token["token_type"] == "bearer" and token["scope"] == ["read", "write"], token
            assert ("expires_in" in token) == (door == STANDARD), token
            assert oauth.get(ME).json()["user"]["email"] == SETUP["user"]["email"]

        with exercise(f"{name}, {kind}: an expired token is refreshed by itself"):
            kept = []
            # An answer without expires_in leaves the library with the old expiry, for ever
            # expired; so it is asked for, which the one door needs and the other accepts.
            oauth = session(
                client,
                token={**token, "expires_in": -1, "expires_at": 1},
                auto_refresh_url=door,
                auto_refresh_kwargs={**authentication(client), "expires_in": 1800},
                token_updater=kept.append,
            )
            before = current(token["access_token"])
            assert oauth.get(ME).status_code == 200
            (new,) = kept
            assert new["access_token"] != token["access_token"]
            assert current(token["access_token"]) is None
            assert current(new["access_token"])["id"] == before["id"]

        with exercise(f"{name}, {kind}: a replayed refresh token ends the grant"):
            oauth.refresh_token(door)
            assert current(oauth.token["access_token"])
            try:
                session(client).refresh_token(
                    door, refresh_token=token["refresh_token"], **authentication(client)
                )
                raise AssertionError("the replay was not refused")
            except InvalidGrantError:
                pass
            assert current(oauth.token["access_token"]) is None

        with exercise(f"{name}, {kind}: revocation of the refresh token ends both"):
            oauth = session(client)
            token = fetch(oauth, door, client, consent(oauth))
            data = {"token": token["refresh_token"], **authentication(client)}
            answer = requests.post(f"{BASE}/oauth/revoke", data=data, timeout=10)
            assert (answer.status_code, answer.json()) == (200, {}), answer.text
            assert current(token["access_token"]) is None
            assert oauth.get(ME).status_code == 401

        with exercise(f"{name}, {kind}: a code is redeemed once"):
            oauth = session(client)
            answer = consent(oauth)
            token = fetch(oauth, door, client, answer)
            try:
                fetch(oauth, door, client, answer)
                raise AssertionError("the second redemption was not refused")
            except InvalidGrantError:
                pass
            assert current(token["access_token"]) is None

    with exercise(f"{name}: a lifetime asked for is told"):
        oauth = session(CONFIDENTIAL)
        token = fetch(oauth, door, CONFIDENTIAL, consent(oauth), expires_in=600)
        assert token["expires_in"] == 600, token

    with exercise(f"{name}: client credentials"):
        backend = BackendApplicationClient(CONFIDENTIAL["identifier"], scope=["read"])
        oauth = OAuth2Session(client=backend)
        token = oauth.fetch_token(door, client_secret=CONFIDENTIAL["secret"])
        assert "refresh_token" not in token and token["scope"] == ["read"], token
        assert current(token["access_token"])["user_id"] == CONFIDENTIAL["user_id"]

    with exercise(f"{name}: an unknown scope is invalid_scope"):
        backend = BackendApplicationClient(CONFIDENTIAL["identifier"], scope=["no_such_scope"])
        try:
            OAuth2Session(client=backend).fetch_token(door, client_secret=CONFIDENTIAL["secret"])
            raise AssertionError("the unknown scope was not refused")
        except InvalidScopeError:
            pass

finish(VERSION, pinned("requests"))
