"""python-zendesk, generated from Zendesk's published API description: its whole OAuth part.

It sends no body with POST and PUT, so creating a token works by `client_id` in the query, and
what needs a body is refused in the documented way.
"""

import json
from datetime import datetime, timezone

from zendesk import Zendesk, errors, models

from support import BASE, SETUP, current, exercise, finish, pinned

VERSION = pinned("python-zendesk")
ADMIN = SETUP["admin"]
CONFIDENTIAL = SETUP["confidential"]
PUBLIC = SETUP["public"]


def as_person(person):
    security = models.Security(username=f"{person['email']}/token", password=person["api_token"])
    return Zendesk(security=security, server_url=BASE)


def refused(status, call, **arguments):
    """The body of the error that this call ends in."""
    try:
        call(**arguments)
    except errors.APIError as error:
        assert error.status_code == status, f"{error.status_code} {error.body}"
        assert error.headers["content-type"].startswith("application/json"), error.headers
        return json.loads(error.body)
    raise AssertionError(f"not refused, {status} was expected")


def walk(page):
    """Every page, by the client's own next()."""
    while page is not None:
        yield page.result
        page = page.next()


admin = as_person(ADMIN)
user = as_person(SETUP["user"])

with exercise("users: show_current_user, for an administrator and for an end user"):
    me = admin.users.show_current_user().user
    assert (me.email, me.role, me.verified) == (ADMIN["email"], "admin", True), me
    me = user.users.show_current_user().user
    assert (me.id, me.role) == (SETUP["user"]["id"], "end-user"), me
    assert me.url == f"{BASE}/api/v2/users/{me.id}.json", me

with exercise("o_auth_tokens: create_o_auth_token by client_id in the query"):
    created = admin.o_auth_tokens.create_o_auth_token(client_id=CONFIDENTIAL["id"]).token
    assert created.scopes == ["read"], created
    assert len(created.token) == 64, created
    assert created.client_id == CONFIDENTIAL["id"], created
    assert created.expires_at is None and created.refresh_token is None, created
    age = datetime.now(timezone.utc) - created.created_at
    assert abs(age.total_seconds()) < 30, created
    assert current(created.token)["id"] == created.id

with exercise("o_auth_tokens: an unknown client is 422, no client at all is 400"):
    body = refused(422, admin.o_auth_tokens.create_o_auth_token, client_id=2**53 - 1)
    assert body["error"] == "RecordInvalid" and "client_id" in body["details"], body
    body = refused(400, admin.o_auth_tokens.create_o_auth_token)
    assert body["error"]["title"] == "Missing parameter", body

with exercise("o_auth_tokens: show_token cuts the token and tells the last use"):
    shown = admin.o_auth_tokens.show_token(oauth_token_id=created.id).token
    assert shown.token == created.token[:10], shown
    assert shown.url == f"{BASE}/api/v2/tokens/{created.id}.json", shown
    assert shown.used_at is not None and shown.used_at.tzinfo is not None, shown

with exercise("o_auth_tokens: list_o_auth_tokens, every page by next()"):
    made = {created.id}
    for _ in range(10):
        made.add(admin.o_auth_tokens.create_o_auth_token(client_id=CONFIDENTIAL["id"]).token.id)
    pages = list(walk(admin.o_auth_tokens.list_o_auth_tokens(page_size=4)))
    listed = [token.id for page in pages for token in page.tokens]
    assert len(pages) >= 3 and all(len(page.tokens) <= 4 for page in pages), listed
    assert listed == sorted(set(listed)), "in the order of ids, none twice"
    assert made <= set(listed), made - set(listed)
    assert all(len(token.token) == 10 for page in pages for token in page.tokens)

with exercise("o_auth_tokens: list_o_auth_tokens by client, for all users, and by global client"):
    lists = admin.o_auth_tokens.list_o_auth_tokens
    mine = [t for page in walk(lists(client_id=CONFIDENTIAL["id"])) for t in page.tokens]
    assert {token.client_id for token in mine} == {CONFIDENTIAL["id"]}, mine
    assert lists(client_id=PUBLIC["id"]).result.tokens == []
    assert lists(global_client_id=1).result.tokens == []
    everybody = [t for page in walk(lists(all=True, page_size=5)) for t in page.tokens]
    assert made <= {token.id for token in everybody}
    assert user.o_auth_tokens.list_o_auth_tokens().result.tokens == []

with exercise("o_auth_tokens: a page size out of range and a changed cursor are 400"):
    body = refused(400, lists, page_size=101)
    assert body["errors"][0]["code"] == "InvalidPaginationParameter", body
    body = refused(400, lists, page_after="changed")
    assert body["errors"][0]["code"] == "InvalidPaginationParameter", body

with exercise("o_auth_tokens: end users may not create, and not list everybody's"):
    body = refused(403, user.o_auth_tokens.create_o_auth_token, client_id=CONFIDENTIAL["id"])
    assert body["error"]["title"] == "Forbidden", body
    refused(403, user.o_auth_tokens.list_o_auth_tokens, all=True)

with exercise("o_auth_tokens: somebody else's record is answered like one that does not exist"):
    theirs = refused(404, user.o_auth_tokens.show_token, oauth_token_id=created.id)
    nobodys = refused(404, user.o_auth_tokens.show_token, oauth_token_id=2**53 - 1)
    assert theirs == nobodys == {"error": "RecordNotFound", "description": "Not found"}, theirs

with exercise("o_auth_tokens: revoke_o_auth_token, once"):
    admin.o_auth_tokens.revoke_o_auth_token(oauth_token_id=created.id)
    assert current(created.token) is None
    refused(404, admin.o_auth_tokens.revoke_o_auth_token, oauth_token_id=created.id)

with exercise("o_auth_clients: list_o_auth_clients, every page by next()"):
    pages = list(walk(admin.o_auth_clients.list_o_auth_clients(page_size=1)))
    clients = {client.identifier: client for page in pages for client in page.clients}
    assert len(pages) >= 2, pages
    assert clients[CONFIDENTIAL["identifier"]].kind == "confidential", clients
    assert clients[PUBLIC["identifier"]].secret is None, clients

with exercise("o_auth_clients: show_client"):
    client = admin.o_auth_clients.show_client(oauth_client_id=CONFIDENTIAL["id"]).client
    assert client.secret == CONFIDENTIAL["secret"][:10], client
    assert client.redirect_uri == CONFIDENTIAL["redirect_uri"], client
    assert client.global_ is False, client
    refused(404, admin.o_auth_clients.show_client, oauth_client_id=2**53 - 1)

with exercise("o_auth_clients: client_generate_secret answers the whole secret, each time another"):
    generate = admin.o_auth_clients.client_generate_secret
    first = generate(oauth_client_id=CONFIDENTIAL["id"]).client.secret
    second = generate(oauth_client_id=CONFIDENTIAL["id"]).client.secret
    assert len(first) == len(second) == 64 and first != second
    body = refused(422, generate, oauth_client_id=PUBLIC["id"])
    assert body["error"] == "RecordInvalid", body

with exercise("o_auth_clients: create and update cannot carry a body: 400, nothing changes"):
    body = refused(400, admin.o_auth_clients.create_o_auth_client)
    assert body["error"]["title"] == "Missing parameter", body
    body = refused(400, admin.o_auth_clients.update_client, oauth_client_id=CONFIDENTIAL["id"])
    assert body["error"]["title"] == "Missing parameter", body

with exercise("o_auth_clients: delete_client ends its tokens"):
    token = admin.o_auth_tokens.create_o_auth_token(client_id=PUBLIC["id"]).token
    assert current(token.token)
    admin.o_auth_clients.delete_client(oauth_client_id=PUBLIC["id"])
    assert current(token.token) is None
    refused(404, admin.o_auth_clients.delete_client, oauth_client_id=PUBLIC["id"])

with exercise("o_auth_clients: for administrators only"):
    refused(403, user.o_auth_clients.list_o_auth_clients)
    refused(403, user.o_auth_clients.delete_client, oauth_client_id=CONFIDENTIAL["id"])

with exercise("global_clients: the list is empty, in both forms"):
    assert list(walk(admin.global_clients.list_global_o_auth_clients()))[0].global_clients == []
    refused(403, user.global_clients.list_global_o_auth_clients)

with exercise("grant_type_tokens: without a body the request names no grant: 400"):
    body = refused(400, admin.grant_type_tokens.create_token_for_grant_type)
    assert body["error"] == "invalid_request", body

with exercise("wrong credentials are 401, for every call alike"):
    stranger = as_person({**ADMIN, "api_token": SETUP["user"]["api_token"]})
    body = refused(401, stranger.o_auth_tokens.list_o_auth_tokens)
    assert body == {"error": "Couldn't authenticate you"}, body
    assert refused(401, stranger.users.show_current_user) == body

finish(VERSION)
