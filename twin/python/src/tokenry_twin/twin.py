"""A running twin and what tests turn of it."""

from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, List, Mapping, Optional, Sequence, Type, Union
from urllib.parse import quote

from .control import Control
from .errors import ControlError
from .process import Process
from .records import Account, ClockReading, Code, ConnectionDetails, Journal, Token

#: A time, or text such as ``"2027-04-30T00:00:00Z"``.
Time = Union[datetime, str]
#: A span of time, whole seconds, or text such as ``"31d"``, ``"90m"``, ``"-1h"``.
Span = Union[timedelta, int, str]
#: A fault as text such as ``"status=503 route=/oauth/* every=3"``, or the same words as members.
Rule = Union[str, Mapping[str, Any]]
#: The name of a scenario that comes with the twin, or a whole one with the members of its file.
Scenario = Union[str, Mapping[str, Any]]


def _time(time: Time) -> str:
    if isinstance(time, str):
        return time
    if time.tzinfo is None:
        raise ValueError(f"{time!r} has no time zone: write datetime(…, tzinfo=timezone.utc)")
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _whole_seconds(span: timedelta) -> int:
    seconds = span // timedelta(seconds=1)
    if span != timedelta(seconds=seconds):
        raise ValueError(f"{span!r} is no whole number of seconds, in which a twin's clock counts")
    return seconds


class Twin:
    """A double of Zendesk that serves on this machine until it is stopped.

    Every twin is a process of its own: two share nothing. It ends with :meth:`stop`, at the end of
    a ``with`` block, and at the latest with the process that started it.

    Every method that turns it raises :class:`~tokenry_twin.ControlError` when the twin refuses,
    with a message that says what would be right.
    """

    def __init__(self, base_url: str, process: Optional[Process] = None) -> None:
        """One that serves; :meth:`start` and :meth:`at` make it."""
        self._process = process
        self._control = Control(base_url)
        #: Where it is, without a slash at the end.
        self.base_url = base_url
        #: The clock that everything in the twin goes by.
        self.clock = Clock(self._control)

    @classmethod
    def start(
        cls,
        *,
        profile: Optional[str] = None,
        seed: Union[str, Path, None] = None,
        data: Union[str, Path, None] = None,
        expiry: Optional[str] = None,
        rotation: Optional[str] = None,
        subdomain: Optional[str] = None,
        https: bool = False,
        clock: Optional[Time] = None,
        faults: Sequence[str] = (),
        fault_seed: Optional[int] = None,
        scenario: Union[str, Path, None] = None,
        binary: Union[str, Path, None] = None,
    ) -> "Twin":
        """Starts one on a free port of this machine and returns once it serves.

        Each argument is the flag of ``tokenry twin`` that bears its name, and left out it is what
        that does without the flag:

        profile     ``legacy``, ``refreshing``, ``enforced`` or ``after-2027-04-30``
        seed        a file that says who and what is in the account
        data        a folder to keep the account in; else it is in memory
        expiry      ``enforced``: access tokens expire after 30 minutes, ``none``: never
        rotation    ``single-use`` refresh tokens as at Zendesk, or ``forgiving``
        subdomain   the account's name, ``acme`` of ``acme.zendesk.com``
        https       be ``https://acme.zendesk.com`` as well, by a proxy that :meth:`env` names
        clock       the time at which its clock starts
        faults      what goes wrong, also after each reset
        fault_seed  decides which calls are struck by probability
        scenario    a run of troubles: one that comes with it, or a file
        binary      the program; else where :func:`~tokenry_twin.process.find_binary` finds it

        Raises :class:`~tokenry_twin.BinaryNotFound` or :class:`~tokenry_twin.StartError`.
        """
        flags = {
            "--profile": profile,
            "--seed": seed,
            "--data": data,
            "--expiry": expiry,
            "--rotation": rotation,
            "--subdomain": subdomain,
            # Any free port.
            "--https": 0 if https else None,
            "--clock": None if clock is None else _time(clock),
            "--fault-seed": fault_seed,
            "--scenario": scenario,
        }
        arguments = [f"{flag}={value}" for flag, value in flags.items() if value is not None]
        arguments += [f"--fault={rule}" for rule in faults]
        process = Process(arguments, None if binary is None else str(binary))
        return cls(process.details["base_url"], process)

    @classmethod
    def at(cls, base_url: str) -> "Twin":
        """One that somebody else has started, as a service container for example. It goes on after
        :meth:`stop`. Raises :class:`~tokenry_twin.ControlError` where there is none."""
        twin = cls(base_url.rstrip("/"))
        twin.clock.read()
        return twin

    @property
    def pid(self) -> Optional[int]:
        """The id of its process; ``None`` of one that somebody else has started."""
        return None if self._process is None else self._process.pid

    @property
    def profile(self) -> str:
        """The profile that it is in now."""
        return self._control.call("GET", "/twin/state")["profile"]

    def details(self) -> ConnectionDetails:
        """What one needs to connect, as it is since the last reset."""
        return ConnectionDetails.read(self._control.call("GET", "/twin/connect"))

    def env(self) -> Dict[str, str]:
        """The variables that client libraries and code read, such as ``ZENDESK_SERVER_URL``."""
        return self.details().variables

    def account(self) -> Account:
        """Everybody and everything that was planted, of each record with its newest tokens."""
        return Account.read(self._control.call("GET", "/twin/state")["account"])

    def reset(self, profile: Optional[str] = None) -> None:
        """Everything as it was at the start: account, clock, faults, and an empty journal. In
        another profile if one is named, until the next reset. Takes some milliseconds."""
        self._control.call("POST", "/twin/reset", {} if profile is None else {"profile": profile})

    def fault(self, rule: Rule) -> "Fault":
        """Puts a fault in force: once, at the next call that it is for, unless it says otherwise.

            twin.fault("lose-answer route=refresh")
            with twin.fault("status=503 always"):
                ...  # it ends here
        """
        body = {"text": rule} if isinstance(rule, str) else rule
        return Fault(self._control, self._control.call("POST", "/twin/faults", body))

    def faults(self) -> List["Fault"]:
        """The faults in force, with those that will strike no more."""
        listed = self._control.call("GET", "/twin/faults")["faults"]
        return [Fault(self._control, each) for each in listed]

    def clear_faults(self) -> None:
        """Ends every fault, also those that it was started with."""
        self._control.call("DELETE", "/twin/faults")

    def scenario(self, scenario: Scenario) -> None:
        """Begins a run of troubles: its faults and turns of the clock in place of those there are.
        One that names a profile resets the twin into it first."""
        body = {"name": scenario} if isinstance(scenario, str) else scenario
        self._control.call("POST", "/twin/scenario", body)

    def journal(
        self,
        *,
        since: int = 0,
        path: Optional[str] = None,
        status: Union[int, str, None] = None,
        faults: Optional[bool] = None,
        wait: float = 0.0,
    ) -> Journal:
        """Calls since the last reset, the oldest first.

        since   only those behind the call of this number
        path    only those whose path begins like this, such as ``"/oauth/"``
        status  only those: ``401``, ``"4xx"``, or ``"none"`` where no answer was sent
        faults  ``True``: only those that a fault struck
        wait    seconds to wait for the first one, at most 60
        """
        query = {
            "since": since,
            "path": path,
            "status": status,
            "faults": "true" if faults else None,
            "wait": f"{round(wait * 1_000)}ms" if wait else None,
        }
        read = self._control.call("GET", "/twin/journal.json", query=query, wait=wait)
        return Journal.read(read)

    def clear_journal(self) -> None:
        """Forgets every call. Their numbers go on."""
        self._control.call("DELETE", "/twin/journal")

    def snapshot(self, name: str) -> None:
        """Keeps this moment under a name of 1 to 100 characters. What had the name is gone."""
        self._control.call("POST", _snapshot(name))

    def restore(self, name: str) -> None:
        """Goes back to a moment. It can be gone back to again."""
        self._control.call("POST", f"{_snapshot(name)}/restore")

    def forget_snapshot(self, name: str) -> None:
        """Forgets a moment."""
        self._control.call("DELETE", _snapshot(name))

    def snapshots(self) -> List[str]:
        """The names of the moments that are kept."""
        return self._control.call("GET", "/twin/snapshots")["snapshots"]

    def issue_token(
        self,
        *,
        client: Union[str, int],
        user: Union[str, int, None] = None,
        scopes: Sequence[str],
        grant_type: Optional[str] = None,
        expires_in: Optional[int] = None,
        refresh_token_expires_in: Optional[int] = None,
    ) -> Token:
        """A token record as if its client had asked for it, without a browser.

        client      its identifier or id
        user        an e-mail address or id; of ``client_credentials`` it may be left out
        scopes      what it may do, such as ``["read"]``
        grant_type  ``authorization_code`` (a pair, and the default), ``client_credentials``, or
                    ``created``, as through the record API
        expires_in  seconds that the access token lives, 300 to 172,800; left out, as the profile
                    says
        refresh_token_expires_in
                    likewise of the refresh token, 604,800 to 7,776,000
        """
        asked = {
            "client": client,
            "user": user,
            "scopes": list(scopes),
            "grant_type": grant_type,
            "expires_in": expires_in,
            "refresh_token_expires_in": refresh_token_expires_in,
        }
        return Token.read(self._control.call("POST", "/twin/tokens", _given(asked)))

    def authorize(
        self,
        *,
        client: Union[str, int],
        user: Union[str, int],
        scopes: Sequence[str],
        redirect_uri: Optional[str] = None,
        code_challenge: Optional[str] = None,
        state: Optional[str] = None,
    ) -> Code:
        """An authorization code as if the user had consented; the client redeems it as ever.

        client          its identifier or id
        user            an e-mail address or id
        scopes          what was asked for, such as ``["read"]``
        redirect_uri    one of the client's; left out, its only one
        code_challenge  S256; a public client must have one
        state           given back unchanged in the ``location``
        """
        asked = {
            "client": client,
            "user": user,
            "scopes": list(scopes),
            "redirect_uri": redirect_uri,
            "code_challenge": code_challenge,
            "state": state,
        }
        return Code.read(self._control.call("POST", "/twin/codes", _given(asked)))

    def expire_token(self, id: int) -> None:
        """Ends the access token of the record with this id now; its refresh token lives on."""
        self._control.call("POST", f"/twin/tokens/{id}/expire")

    def revoke_token(self, id: int) -> None:
        """Revokes the record with this id, access and refresh token alike."""
        self._control.call("POST", f"/twin/tokens/{id}/revoke")

    def rotate_token(self, id: int) -> None:
        """Refreshes the pair of the record with this id behind its client's back."""
        self._control.call("POST", f"/twin/tokens/{id}/rotate")

    def stop(self) -> None:
        """Finishes what is in flight and ends the process. Doing it twice does nothing more."""
        if self._process is not None:
            self._process.stop()

    def __enter__(self) -> "Twin":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Twin {self.base_url}>"


def _given(asked: Mapping[str, Any]) -> Dict[str, Any]:
    return {name: value for name, value in asked.items() if value is not None}


def _snapshot(name: str) -> str:
    return f"/twin/snapshots/{quote(name, safe='')}"


class Clock:
    """The clock of a twin. Whatever depends on time follows it at once."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def read(self) -> ClockReading:
        """What it shows."""
        return ClockReading.read(self._control.call("GET", "/twin/clock"))

    def now(self) -> datetime:
        """The time, with its offset from UTC, in whole seconds."""
        return self.read().now

    def set(self, time: Time) -> ClockReading:
        """Sets it; whole seconds count. Raises ``ValueError`` for a time without a zone."""
        return self._turn(set=_time(time))

    def advance(self, span: Span) -> ClockReading:
        """Turns it on, or back if the span is negative."""
        span = _whole_seconds(span) if isinstance(span, timedelta) else span
        return self._turn(advance=span)

    def freeze(self) -> ClockReading:
        """It stands still; setting and advancing it leave it so."""
        return self._turn(frozen=True)

    def unfreeze(self) -> ClockReading:
        """It goes on from where it stands."""
        return self._turn(frozen=False)

    def _turn(self, **turn: Any) -> ClockReading:
        return ClockReading.read(self._control.call("POST", "/twin/clock", turn))


class Fault:
    """A fault in force. At the end of a ``with`` block it ends."""

    def __init__(self, control: Control, value: Mapping[str, Any]) -> None:
        self._control = control
        #: Counts from 1; never given again before all faults are cleared.
        self.id: int = value["id"]
        #: The rule as text.
        self.text: str = value["text"]
        #: How many calls it was for when it was read, struck or not.
        self.matched: int = value["matched"]
        #: How many it had struck when it was read.
        self.struck: int = value["struck"]

    def remove(self) -> None:
        """Ends it. One that has ended already, by a reset for example, is passed over."""
        try:
            self._control.call("DELETE", f"/twin/faults/{self.id}")
        except ControlError as error:
            if error.status != 404:
                raise

    def __enter__(self) -> "Fault":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.remove()

    def __repr__(self) -> str:
        return f"<Fault {self.id}: {self.text}>"
