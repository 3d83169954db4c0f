"""What both scripts share: the set-up, pinned versions, and a visitor who signs in and consents."""

import faulthandler
import json
import re
import sys
from contextlib import contextmanager
from html.parser import HTMLParser
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests

# A hang is a failure with a trace, not a run that never ends.
faulthandler.dump_traceback_later(120, exit=True)

SETUP = json.loads(Path(sys.argv[1]).read_text())
BASE = SETUP["base"]

_exercised = 0


@contextmanager
def exercise(what):
    """One named part of a script."""
    global _exercised
    try:
        yield
    except BaseException:
        print(f"FAILED: {what}", flush=True)
        raise
    _exercised += 1
    print(f"  ok  {what}", flush=True)


def finish(*packages):
    print(f"{_exercised} parts exercised with {' and '.join(packages)}")


def pinned(name):
    """The package's name and version, after checking that it is the pinned one."""
    locks = sorted(Path(__file__).parent.glob("requirements*.txt"))
    lock = "".join(file.read_text() for file in locks)
    (wanted,) = re.findall(rf"^{re.escape(name)}==(\S+)", lock, re.MULTILINE)
    installed = version(name)
    assert installed == wanted, f"{name} is installed as {installed}, pinned as {wanted}"
    return f"{name} {installed}"


def current(access_token):
    """The record of an access token as it sees itself, or nothing when it is dead."""
    answer = requests.get(
        f"{BASE}/api/v2/oauth/tokens/current.json",
        headers={"Authorization": f"Bearer {access_token}"},
        timeout=10,
    )
    if answer.status_code == 401:
        assert answer.json()["error"] == "invalid_token", answer.text
        return None
    answer.raise_for_status()
    return answer.json()["token"]


class _Forms(HTMLParser):
    """The forms of a page: where each is sent, its fields, its buttons by what they say."""

    def __init__(self, page):
        super().__init__()
        self.forms = []
        self._button = None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.forms.append({"action": attributes.get("action"), "fields": {}, "buttons": []})
        elif tag == "input" and self.forms and "name" in attributes:
            self.forms[-1]["fields"][attributes["name"]] = attributes.get("value") or ""
        elif tag == "button" and self.forms:
            self._button = {**attributes, "text": ""}
            self.forms[-1]["buttons"].append(self._button)

    def handle_data(self, data):
        if self._button is not None:
            self._button["text"] += data

    def handle_endtag(self, tag):
        if tag == "button":
            self._button = None


class Visitor:
    """Somebody with a browser: keeps cookies, follows redirects, fills in forms."""

    def __init__(self, person):
        self.person = person
        self.browser = requests.Session()

    def authorize(self, address, answer="Allow"):
        """Signs in when asked to and answers; the address at which that leaves the server."""
        at = self._follow(self._ask("GET", address))
        if isinstance(at, requests.Response) and 'type="password"' in at.text:
            fields = {"email": self.person["email"], "password": self.person["password"]}
            at = self._press(at, "Sign in", fields)
        if isinstance(at, requests.Response):
            at = self._press(at, answer, {})
        assert isinstance(at, str), f"still on the server: {at.status_code} {at.text}"
        return at

    def _ask(self, method, address, **arguments):
        return self.browser.request(
            method, address, allow_redirects=False, timeout=10, **arguments
        )

    def _follow(self, answer):
        """The page that redirects end at, or the first address that is not the server's."""
        while "Location" in answer.headers:
            target = urljoin(answer.url, answer.headers["Location"])
            if urlsplit(target).netloc != urlsplit(BASE).netloc:
                return target
            answer = self._ask("GET", target)
        return answer

    def _press(self, at, label, fields):
        for form in _Forms(at.text).forms:
            for button in form["buttons"]:
                if button["text"].strip().lower().startswith(label.lower()):
                    assert fields.keys() <= form["fields"].keys(), form["fields"]
                    data = {**form["fields"], **fields}
                    if "name" in button:
                        data[button["name"]] = button.get("value") or ""
                    action = urljoin(at.url, form["action"] or at.url)
                    answer = self._ask("POST", action, data=data)
                    assert answer.status_code == 303, f"{answer.status_code} {answer.text}"
                    return self._follow(answer)
        raise AssertionError(f"no button {label!r} on the page {at.url}: {at.text}")
