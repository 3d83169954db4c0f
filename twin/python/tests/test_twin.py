"""Everything that a twin is turned by."""

import dataclasses
from datetime import datetime, timedelta, timezone
from typing import Any, Iterator

import pytest
import requests

from tokenry_twin import ControlError, StartError, Twin, TwinError


def verify(twin: Twin, access_token: str) -> int:
    """The status of a token's look at itself."""
    headers = {"Authorization": f"Bearer {access_token}"}
    path = "/api/v2/oauth/tokens/current.json"
    return requests.get(twin.base_url + path, headers=headers, timeout=10).status_code


def test_it_tells_what_one_needs_to_connect(twin: Twin) -> None:
    details = twin.details()
    assert details.base_url == twin.base_url == twin.env()["ZENDESK_SERVER_URL"]
    assert details.addresses["record API"] == f"{twin.base_url}/api/v2"
    assert (details.subdomain, details.profile) == ("acme", "legacy")
    assert details.credentials.email == "ada@acme.test"
    assert verify(twin, details.credentials.access_token) == 200
    basic = (f"{details.credentials.email}/token", details.credentials.api_token)
    answer = requests.get(f"{twin.base_url}/api/v2/users/me.json", auth=basic, timeout=10)
    assert answer.json()["user"]["email"] == details.credentials.email


def test_programs_that_call_zendesk_itself_are_led_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with Twin.start(subdomain="globex", https=True) as twin:
        for name, value in twin.env().items():
            monkeypatch.setenv(name, value)
        details = twin.details()
        basic = (f"{details.credentials.email}/token", details.credentials.api_token)
        answer = requests.get("https://globex.zendesk.com/api/v2/users/me", auth=basic, timeout=10)
        assert answer.json()["user"]["email"] == details.credentials.email
        assert [entry.path for entry in twin.journal().entries] == ["/api/v2/users/me"]
        assert details.https is not None
        assert details.https.proxy == twin.env()["HTTPS_PROXY"]


def test_the_account_holds_every_credential_in_full_and_no_text_shows_one(twin: Twin) -> None:
    account, details = twin.account(), twin.details()
    assert [user.email for user in account.users][:2] == ["ada@acme.test", "ben@acme.test"]
    token = next(token for token in account.tokens if token.id == 1_004)
    assert verify(twin, token.access_token) == 200
    assert token.refresh_token_expires_at > twin.clock.now()
    secrets = list(credentials(dataclasses.asdict(account)))
    secrets += credentials(dataclasses.asdict(details.credentials))
    assert len(secrets) > 20
    shown = f"{account} {details} {account!r} {details!r} {twin!r}"
    assert [secret for secret in secrets if secret in shown] == []


def credentials(value: Any) -> Iterator[str]:
    """Every credential and password in it, by the names of the members."""
    names = ("token", "access_token", "refresh_token", "secret", "client_secret", "api_token")
    if isinstance(value, list):
        for each in value:
            yield from credentials(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if isinstance(each, str) and name in (*names, "password"):
                yield each
            else:
                yield from credentials(each)


def test_the_clock_is_set_turned_on_and_stopped(twin: Twin) -> None:
    assert not twin.clock.read().frozen
    twin.clock.freeze()
    midnight = datetime(2027, 4, 30, tzinfo=timezone.utc)
    assert twin.clock.set(midnight).now == midnight
    assert twin.clock.set("2027-04-30T02:00:00+02:00").now == midnight
    assert twin.clock.advance("31d").now == midnight + timedelta(days=31)
    assert twin.clock.advance(-60).now == midnight + timedelta(days=31, seconds=-60)
    assert twin.clock.advance(timedelta(minutes=1)).now == midnight + timedelta(days=31)
    assert twin.clock.read().ahead_seconds > 0
    assert not twin.clock.unfreeze().frozen
    with pytest.raises(ValueError, match="no time zone"):
        twin.clock.set(datetime(2027, 4, 30))
    with pytest.raises(ValueError, match="whole number of seconds"):
        twin.clock.advance(timedelta(milliseconds=1))
    with pytest.raises(ControlError, match='write seconds as a number, or text such as "31d"'):
        twin.clock.advance("soon")


def test_a_fault_is_in_force_in_its_block_and_no_longer(twin: Twin) -> None:
    token = twin.details().credentials.access_token
    with twin.fault("status=503 always") as fault:
        assert verify(twin, token) == 503
        assert [(each.id, each.text, each.struck) for each in twin.faults()] == [
            (fault.id, "status=503 always", 1)
        ]
    assert twin.faults() == []
    assert verify(twin, token) == 200
    twin.fault({"rate_limited": 7, "times": 2})
    assert [verify(twin, token) for _ in range(3)] == [429, 429, 200]
    with twin.fault("status=500 always"):
        twin.clear_faults()
    assert verify(twin, token) == 200


def test_the_journal_tells_of_every_call_and_can_be_searched(twin: Twin) -> None:
    token = twin.details().credentials.access_token
    verify(twin, token)
    with twin.fault("status=503"):
        verify(twin, token)
    requests.post(f"{twin.base_url}/oauth/tokens", json={}, timeout=10)
    journal = twin.journal()
    first, second, third = journal
    assert (first.method, first.status) == ("GET", 200)
    assert first.path == "/api/v2/oauth/tokens/current.json"
    assert token not in f"{journal} {journal!r}"
    assert second.faults == ["status=503"]
    assert abs(first.at - twin.clock.now()) < timedelta(minutes=1)
    assert journal.last == third.number
    later = [entry.number for entry in twin.journal(since=first.number)]
    assert later == [second.number, third.number]
    assert [entry.number for entry in twin.journal(path="/oauth/")] == [third.number]
    assert [entry.number for entry in twin.journal(status="5xx")] == [second.number]
    assert [entry.number for entry in twin.journal(status=200)] == [first.number]
    assert [entry.number for entry in twin.journal(faults=True)] == [second.number]
    assert len(twin.journal(since=journal.last, wait=0.01)) == 0
    assert journal.cleared == first.number - 1
    twin.clear_journal()
    assert len(twin.journal()) == 0
    assert twin.journal().cleared == third.number
    with pytest.raises(ControlError, match="write a status as 404, a class as 4xx, or none"):
        twin.journal(status="bad")


def test_a_snapshot_is_gone_back_to_as_often_as_one_likes(twin: Twin) -> None:
    token = next(token for token in twin.account().tokens if token.id == 1_004)
    name = "before / the migration?"
    twin.snapshot(name)
    assert twin.snapshots() == [name]
    for _ in range(2):
        twin.revoke_token(token.id)
        assert verify(twin, token.access_token) == 401
        twin.restore(name)
        assert verify(twin, token.access_token) == 200
    twin.forget_snapshot(name)
    with pytest.raises(ControlError, match="there is no snapshot"):
        twin.restore(name)


def test_a_token_expires_is_revoked_and_rotated_without_its_client(twin: Twin) -> None:
    for turn, told in [
        (twin.expire_token, "is over already"),
        (twin.rotate_token, None),
        (twin.revoke_token, "is not there"),
    ]:
        twin.reset()
        token = next(token for token in twin.account().tokens if token.id == 1_004)
        assert verify(twin, token.access_token) == 200
        turn(token.id)
        assert verify(twin, token.access_token) == 401
        if told is not None:
            with pytest.raises(ControlError, match=told) as refused:
                turn(token.id)
            assert refused.value.status == 404


def test_tokens_and_codes_are_had_without_a_browser(twin: Twin) -> None:
    asked = {"client": "acme_mobile", "user": "cleo@acme.test", "scopes": ["read"]}
    token = twin.issue_token(**asked, expires_in=300)
    assert verify(twin, token.access_token) == 200
    assert token.expires_at - twin.clock.now() <= timedelta(seconds=300)
    twin.rotate_token(token.id)
    assert verify(twin, token.access_token) == 401
    clients = {client.identifier: client for client in twin.account().clients}
    client = clients["acme_reports"]
    code = twin.authorize(client=client.id, user=29, scopes=["read"], state="xyz")
    assert code.location.startswith(client.redirect_uri[0])
    assert "state=xyz" in code.location
    assert code.code not in repr(code)
    redeemed = requests.post(
        f"{twin.base_url}/oauth/tokens",
        json={
            "grant_type": "authorization_code",
            "code": code.code,
            "client_id": client.identifier,
            "client_secret": client.secret,
            "redirect_uri": client.redirect_uri[0],
        },
        timeout=10,
    )
    assert verify(twin, redeemed.json()["access_token"]) == 200
    with pytest.raises(ControlError) as refused:
        twin.issue_token(client="acme_mobile", scopes=["read"])
    assert refused.value.status == 400


def test_a_reset_brings_everything_back_the_profile_of_the_start_too(twin: Twin) -> None:
    token = next(token for token in twin.account().tokens if token.id == 1_004)
    twin.revoke_token(token.id)
    twin.clock.advance("400d")
    twin.fault("status=500 always")
    twin.reset()
    assert verify(twin, token.access_token) == 200
    assert len(twin.journal()) == 1
    twin.reset("after-2027-04-30")
    assert twin.profile == "after-2027-04-30"
    twin.reset()
    assert twin.profile == "legacy"
    with pytest.raises(ControlError, match="expected one of `legacy`") as refused:
        twin.reset("lagacy")
    assert refused.value.status == 400


def test_a_scenario_runs_from_its_beginning(twin: Twin) -> None:
    twin.scenario("lost-refresh-answer")
    assert [fault.text for fault in twin.faults()] == ["lose-answer route=refresh"]
    assert twin.profile == "refreshing"
    with pytest.raises(ControlError, match="flaky-gateway"):
        twin.scenario("flaky-gatway")


def test_two_twins_share_nothing() -> None:
    with Twin.start() as one, Twin.start(subdomain="globex", faults=["status=500 always"]) as other:
        token = one.details().credentials.access_token
        assert verify(one, token) == 200
        assert verify(other, token) == 500
        assert other.details().subdomain == "globex"
        other.reset()
        assert [fault.text for fault in other.faults()] == ["status=500 always"]
        assert one.faults() == []


def test_it_starts_at_a_time_and_with_an_account_that_are_given(tmp_path: Any) -> None:
    seed = tmp_path / "account.toml"
    lines = '[[users]]\nemail = "eve@globex.test"\nrole = "admin"\npassword = "eve-password"\n'
    seed.write_text(lines)
    time = datetime(2027, 5, 1, tzinfo=timezone.utc)
    with Twin.start(seed=seed, clock=time) as twin:
        assert [user.email for user in twin.account().users] == ["eve@globex.test"]
        assert twin.clock.now() - time < timedelta(minutes=5)
    with pytest.raises(StartError, match="legacy, refreshing, enforced, after-2027-04-30"):
        Twin.start(profile="lagacy")


def test_a_twin_that_has_been_stopped_says_so_and_can_be_stopped_again() -> None:
    twin = Twin.start()
    twin.stop()
    twin.stop()
    with pytest.raises(TwinError, match="has it been stopped?") as refused:
        twin.reset()
    assert refused.value.status is None
