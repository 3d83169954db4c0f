"""The plugin in suites of others."""

import pytest

from tokenry_twin import Twin

ONE = """
    import pytest, requests
    from tokenry_twin import Twin
"""


def test_every_test_begins_with_the_account_as_it_was(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(ONE + """
    seen = set()

    @pytest.mark.parametrize("round", range(3))
    def test_revokes(twin, round):
        assert len(twin.journal()) == 0
        assert twin.faults() == []
        twin.fault("status=500 always")
        twin.revoke_token(1_004)
        twin.clock.advance("1d")
        seen.add(twin.pid)

    def test_all_of_them_had_one_process(twin, twin_server):
        assert seen == {twin.pid} == {twin_server.pid}
    """)
    pytester.runpytest_subprocess("-p", "no:randomly").assert_outcomes(passed=4)


def test_the_profile_is_the_nearest_markers_or_the_options(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(ONE + """
    def test_of_the_option(twin):
        assert twin.profile == "refreshing"

    @pytest.mark.twin(profile="legacy", faults=["status=503"])
    class TestOfTheClass:
        def test_of_the_class(self, twin):
            assert twin.profile == "legacy"
            assert [fault.text for fault in twin.faults()] == ["status=503"]

        @pytest.mark.twin(profile="after-2027-04-30")
        def test_of_its_own(self, twin):
            assert twin.profile == "after-2027-04-30"
            assert len(twin.faults()) == 1

    def test_of_the_option_again(twin):
        assert twin.profile == "refreshing"
        assert twin.faults() == []
    """)
    result = pytester.runpytest_subprocess("--strict-markers", "--twin-profile=refreshing")
    result.assert_outcomes(passed=4)


def test_a_marker_starts_a_scenario(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(ONE + """
    @pytest.mark.twin(scenario="token-expires-mid-run")
    def test_runs(twin):
        assert twin.profile == "refreshing"
        assert [fault.text for fault in twin.faults()] == ["expire-token route=record-api after=3"]
    """)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_marker_that_is_wrong_says_what_is_right(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(ONE + """
    @pytest.mark.twin(profil="legacy")
    def test_misspelt(twin): ...

    @pytest.mark.twin("legacy")
    def test_without_a_name(twin): ...
    """)
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(errors=2)
    takes = "*@pytest.mark.twin takes profile, scenario, faults, each by its name, and not "
    result.stdout.fnmatch_lines([f"{takes}profil", f"{takes}a value without a name"])
    refused = pytester.runpytest_subprocess("--twin-profile=lagacy")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR


def test_the_report_of_a_failed_test_has_its_calls_and_no_credential(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(ONE + """
    def test_fails(twin):
        details, account = twin.details(), twin.account()
        headers = {"Authorization": f"Bearer {details.credentials.access_token}"}
        with twin.fault("status=503"):
            requests.get(f"{twin.base_url}/api/v2/users/me.json", headers=headers)
        assert (details, account, twin.journal()) is None
    """)
    result = pytester.runpytest_subprocess("-vv", "--no-showlocals")
    result.assert_outcomes(failed=1)
    call = "*GET /api/v2/users/me.json → 503 [[]status=503[]]*"
    result.stdout.fnmatch_lines(["*twin journal*", call])
    assert "_tokenry_" not in result.stdout.str()
    assert "ada-password" not in result.stdout.str()


def test_workers_of_xdist_have_a_twin_each(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(ONE + """
    import os, pathlib

    @pytest.mark.parametrize("number", range(8))
    def test_alone(twin, number, worker_id):
        assert len(twin.journal()) == 0
        requests.get(f"{twin.base_url}/api/v2/users/me.json")
        assert len(twin.journal()) == 1
        with open("twins.txt", "a") as twins:
            twins.write(f"{worker_id} {twin.pid}\\n")
    """)
    result = pytester.runpytest_subprocess("-n", "2", "--dist", "each")
    result.assert_outcomes(passed=16)
    lines = (pytester.path / "twins.txt").read_text().splitlines()
    assert len(set(lines)) == len({line.split()[1] for line in lines}) == 2


def test_a_twin_that_runs_already_is_taken_and_left_running(
    pytester: pytest.Pytester, twin_server: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENRY_BIN", "no-such-tokenry")
    pytester.makepyfile(f"""
    def test_one(twin):
        assert twin.base_url == "{twin_server.base_url}"
        assert (twin.pid, twin.profile) == (None, "enforced")
    """)
    options = (f"--twin-url={twin_server.base_url}/", "--twin-profile=enforced")
    pytester.runpytest_subprocess(*options).assert_outcomes(passed=1)
    assert twin_server.profile == "enforced"


def test_without_the_program_a_test_says_how_to_get_it(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENRY_BIN", "no-such-tokenry")
    pytester.makepyfile("def test_one(twin): ...\n")
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*TOKENRY_BIN=no-such-tokenry is no program*cargo build*"])
