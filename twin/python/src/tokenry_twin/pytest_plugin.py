"""The pytest plugin: fixtures ``twin`` and ``twin_server``, the marker ``twin``, and the options
``--twin-profile`` and ``--twin-url``.

It is there as soon as the package is installed. With pytest-xdist each worker has a twin of its
own. When a test fails, the calls that the twin saw of it are in its report, without secrets.
"""

from typing import Any, Iterator

import pytest

from .errors import TwinError
from .twin import Twin

_PROFILES = ["legacy", "refreshing", "enforced", "after-2027-04-30"]
_WORDS = ("profile", "scenario", "faults")
_JOURNAL_MAX = 50


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--twin-profile`` and ``--twin-url``"""
    group = parser.getgroup("tokenry-twin", "a double of Zendesk")
    group.addoption(
        "--twin-profile",
        choices=_PROFILES,
        default=_PROFILES[0],
        help="the profile of the fixture twin where a test's marker names none [default: legacy]",
    )
    group.addoption(
        "--twin-url",
        metavar="URL",
        help="a twin that runs already, such as a service container, in place of one of our own; "
        "tests that share it must not run side by side",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known."""
    told = (
        "twin(profile=None, scenario=None, faults=()): the profile that the fixture twin is in, "
        "the scenario that runs (a shipped name, or its members) and the faults that are in force "
        "when the test begins"
    )
    config.addinivalue_line("markers", told)


@pytest.fixture(scope="session")
def twin_server(pytestconfig: pytest.Config) -> Iterator[Twin]:
    """A twin for all tests of this process, which it is not reset between; see ``twin``."""
    url, profile = pytestconfig.getoption("--twin-url"), pytestconfig.getoption("--twin-profile")
    with Twin.start(profile=profile) if url is None else Twin.at(url) as twin:
        yield twin


@pytest.fixture
def twin(request: pytest.FixtureRequest, twin_server: Twin) -> Twin:
    """The twin of this process as it was at the start, in the state that the marker ``twin`` asks
    for. What a test does to it is over with the test."""
    asked = _asked(request.node)
    profile = asked.get("profile") or request.config.getoption("--twin-profile")
    twin_server.reset(profile)
    if asked.get("scenario") is not None:
        twin_server.scenario(asked["scenario"])
    for rule in asked.get("faults", ()):
        twin_server.fault(rule)
    return twin_server


def _asked(test: pytest.Item) -> "dict[str, Any]":
    """What the markers say; the one nearest to the test goes before the others."""
    asked: "dict[str, Any]" = {}
    for marker in test.iter_markers("twin"):
        unknown = [name for name in marker.kwargs if name not in _WORDS]
        if marker.args or unknown:
            what = ", ".join(unknown) or "a value without a name"
            raise pytest.UsageError(
                f"@pytest.mark.twin takes {', '.join(_WORDS)}, each by its name, and not {what}"
            )
        asked = {**marker.kwargs, **asked}
    return asked


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Iterator[None]:
    """What the twin saw of a test that fails."""
    outcome = yield
    report = outcome.get_result()
    twin = getattr(item, "funcargs", {}).get("twin")
    if report.when != "call" or not report.failed or not isinstance(twin, Twin):
        return
    try:
        journal = twin.journal()
    except TwinError as error:
        report.sections.append(("twin journal", f"it cannot be read: {error}"))
        return
    shown = "\n".join(str(entry) for entry in journal.entries[-_JOURNAL_MAX:])
    report.sections.append(("twin journal", shown or "no call came"))
