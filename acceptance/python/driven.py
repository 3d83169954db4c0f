"""A client that is driven line by line: a JSON object in for each thing to do, one out for what
came of it.

The first line out names what is driven. What is printed meanwhile goes to standard error.
"""

import faulthandler
import json
import os
import sys
from urllib.parse import parse_qs, urlencode, urlsplit

from support import BASE, Visitor

REDIRECT = "http://127.0.0.1:7311/callback"
ME = f"{BASE}/api/v2/users/me.json"
DOOR = f"{BASE}/oauth/tokens"


class WrongAnswer(Exception):
    """No error, and not what was asked for either."""


def expect(told, expected):
    if told != expected:
        raise WrongAnswer(f"{told!r} in place of {expected!r}")


def consent(account):
    """A code: what somebody who signs in and allows the client sends it back with."""
    query = {
        "response_type": "code",
        "client_id": account["client_id"],
        "redirect_uri": REDIRECT,
        "scope": "read write",
    }
    answer = Visitor(account).authorize(f"{BASE}/oauth/authorizations/new?{urlencode(query)}")
    return parse_qs(urlsplit(answer).query)["code"][0]


def drive(driven, what):
    """Does what each line says, until there are no more."""
    lines = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def tell(told):
        lines.write(json.dumps(told) + "\n")
        lines.flush()

    tell({"driven": what})
    for line in sys.stdin:
        # A hang is a failure with a trace, not a run that never ends.
        faulthandler.dump_traceback_later(60, exit=True)
        asked = json.loads(line)
        try:
            tell({"told": getattr(driven, asked.pop("do"))(**asked)})
        except Exception as error:
            tell({"error": f"{type(error).__name__}: {error}"})
