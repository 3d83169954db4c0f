"""Starts and turns a double of Zendesk's OAuth token API in tests.

    from tokenry_twin import Twin

    with Twin.start(profile="refreshing") as twin:
        with twin.fault("lose-answer route=refresh"):
            ...  # the code under test talks to twin.base_url

In pytest the fixtures ``twin`` and ``twin_server`` are there once the package is installed; see
:mod:`tokenry_twin.pytest_plugin`. Start at :class:`Twin`.
"""

from .errors import BinaryNotFound, ControlError, StartError, TwinError
from .records import (
    Account,
    ApiToken,
    Client,
    ClockReading,
    Code,
    ConnectionDetails,
    Credentials,
    Https,
    Journal,
    JournalEntry,
    Refresh,
    SignIn,
    Token,
    User,
)
from .twin import Clock, Fault, Twin

__all__ = [
    "Account",
    "ApiToken",
    "BinaryNotFound",
    "Client",
    "Clock",
    "ClockReading",
    "Code",
    "ConnectionDetails",
    "ControlError",
    "Credentials",
    "Fault",
    "Https",
    "Journal",
    "JournalEntry",
    "Refresh",
    "SignIn",
    "StartError",
    "Token",
    "Twin",
    "TwinError",
    "User",
]
