"""How an integration is tested against a twin: an unmodified client, and what goes wrong."""

from typing import Any, Dict, List, Tuple

import pytest
from reports import Reports, SignInAgain

from tokenry_twin import Twin


@pytest.fixture(autouse=True)
def without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """oauthlib insists on TLS unless it is told otherwise; a twin has none."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


def connect(twin: Twin) -> Tuple[Reports, List[Dict[str, Any]]]:
    """The integration with a pair of the account's, and every pair that it has kept since."""
    refresh = twin.details().credentials.refresh
    record = next(
        token for token in twin.account().tokens if token.refresh_token == refresh.refresh_token
    )
    pair = {"access_token": record.access_token, "refresh_token": record.refresh_token}
    kept: List[Dict[str, Any]] = []
    return Reports(twin.base_url, refresh.client_id, pair, kept.append), kept


@pytest.mark.twin(profile="refreshing")
def test_a_client_survives_an_expired_token(twin: Twin) -> None:
    reports, kept = connect(twin)
    first = twin.details().credentials.refresh
    assert reports.me()["email"] == "cleo@acme.test"
    twin.clock.advance("1d")
    assert reports.me()["email"] == "cleo@acme.test"
    assert [entry.status for entry in twin.journal()] == [200, 401, 201, 200]
    newest = twin.details().credentials.refresh
    assert newest.refresh_token != first.refresh_token
    assert [pair["refresh_token"] for pair in kept] == [newest.refresh_token]


@pytest.mark.twin(profile="refreshing")
def test_a_client_whose_refresh_answer_is_lost_asks_for_a_sign_in_and_does_not_loop(
    twin: Twin,
) -> None:
    reports, kept = connect(twin)
    twin.clock.advance("1d")
    lost = twin.fault("lose-answer route=refresh")
    with pytest.raises(SignInAgain):
        reports.me()
    refreshes = twin.journal(path="/oauth/").entries
    assert [entry.status for entry in refreshes] == [None, 400]
    assert refreshes[0].faults == ["lose-answer"]
    assert next(fault for fault in twin.faults() if fault.id == lost.id).struck == 1
    assert kept == []


def test_a_server_that_forgives_gives_a_lost_refresh_answer_again() -> None:
    with Twin.start(profile="refreshing", rotation="forgiving") as twin:
        reports, kept = connect(twin)
        twin.clock.advance("1d")
        with twin.fault("lose-answer route=refresh"):
            assert reports.me()["email"] == "cleo@acme.test"
        assert [entry.status for entry in twin.journal(path="/oauth/")] == [None, 201]
        assert len(kept) == 1


def test_a_client_whose_token_is_revoked_asks_for_a_sign_in(twin: Twin) -> None:
    reports, _ = connect(twin)
    twin.revoke_token(1_004)
    with pytest.raises(SignInAgain):
        reports.me()
    assert [entry.status for entry in twin.journal()] == [401, 400]
