"""What a twin tells, with its types. No ``repr`` of a record shows a credential, so that none
stands in the report of a failed test; the attributes hold them in full."""

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Dict, List, Mapping, Optional


def _secret(**options: Any) -> Any:
    return field(repr=False, **options)


def moment(text: str) -> datetime:
    """The time that a twin wrote, such as ``2027-04-30T00:00:00Z``."""
    return datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)


def _read(record: type, value: Mapping[str, Any]) -> Any:
    """Members of a later version are passed over, and those that are not there are ``None``."""
    return record(**{each.name: value.get(each.name) for each in fields(record)})


@dataclass(frozen=True)
class Refresh:
    """What a refresh needs."""

    refresh_token: str = _secret()
    client_id: str
    #: ``None``: a public client.
    client_secret: Optional[str] = _secret(default=None)


@dataclass(frozen=True)
class SignIn:
    """Who can sign in on the pages."""

    email: str
    password: str = _secret()
    #: ``admin``, ``agent`` or ``end-user``.
    role: str


@dataclass(frozen=True)
class Credentials:
    """One credential of each kind; ``None`` where the account has none."""

    #: Whom the API token works for.
    email: Optional[str]
    api_token: Optional[str] = _secret()
    #: One without expiry where there is one.
    access_token: Optional[str] = _secret()
    #: The identifier of a confidential client.
    client_id: Optional[str]
    client_secret: Optional[str] = _secret()
    #: The refresh token that lives longest, with its client.
    refresh: Optional[Refresh]
    sign_ins: List[SignIn]


@dataclass(frozen=True)
class Https:
    """How programs get to a twin that call Zendesk's own address."""

    #: For ``HTTPS_PROXY``.
    proxy: str
    #: The file with the certificate to trust, on the twin's machine; ``/twin/ca.pem`` holds it too.
    ca_file: str


@dataclass(frozen=True)
class ConnectionDetails:
    """What one needs to connect."""

    #: Without a slash at the end.
    base_url: str
    subdomain: str
    profile: str
    #: What has an address, by its name, such as ``"record API"``.
    addresses: Dict[str, str]
    credentials: Credentials
    #: What client libraries and code read, such as ``ZENDESK_SERVER_URL``: for ``os.environ``.
    variables: Dict[str, str] = _secret()
    #: ``None``: it was started without.
    https: Optional[Https] = None

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> "ConnectionDetails":
        """Out of the JSON of ``tokenry twin --json`` and ``GET /twin/connect``."""
        credentials = dict(value["credentials"])
        refresh = credentials.get("refresh")
        credentials["refresh"] = refresh and _read(Refresh, refresh)
        credentials["sign_ins"] = [_read(SignIn, each) for each in credentials["sign_ins"]]
        return cls(
            base_url=value["base_url"],
            subdomain=value["subdomain"],
            profile=value["profile"],
            addresses={each["name"]: each["url"] for each in value["addresses"]},
            credentials=_read(Credentials, credentials),
            variables={each["name"]: each["value"] for each in value["variables"]},
            https=_read(Https, value["https"]) if "https" in value else None,
        )


@dataclass(frozen=True)
class User:
    """A user of the account."""

    id: int
    email: str
    name: str
    #: ``admin``, ``agent`` or ``end-user``.
    role: str
    #: ``None`` for users who do not sign in by password.
    password: Optional[str] = _secret()
    verified: bool
    suspended: bool


@dataclass(frozen=True)
class Client:
    """An OAuth client of the account."""

    #: The resource id.
    id: int
    #: The ``client_id`` of the grant endpoints.
    identifier: str
    name: str
    #: ``confidential`` or ``public``.
    kind: str
    #: ``None``: a public client.
    secret: Optional[str] = _secret()
    redirect_uri: List[str]
    #: Who answers for it.
    user_id: int
    disabled: bool


@dataclass(frozen=True)
class ApiToken:
    """An API token of the account."""

    id: int
    token: str = _secret()
    description: str
    #: Who made it.
    user_id: int
    #: Whom alone it works for.
    assigned_user_id: Optional[int]
    active: bool


@dataclass(frozen=True)
class Token:
    """A token record with its credentials in full, as it was planted or issued."""

    id: int
    client_id: int
    user_id: int
    scopes: List[str]
    access_token: str = _secret()
    #: ``None``: the access token does not expire.
    expires_at: Optional[datetime]
    refresh_token: Optional[str] = _secret()
    refresh_token_expires_at: Optional[datetime]

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> "Token":
        """Out of a twin's JSON."""
        times = ("expires_at", "refresh_token_expires_at")
        read = {name: moment(value[name]) for name in times if value.get(name)}
        return _read(cls, {**value, **read})


@dataclass(frozen=True)
class Code:
    """An authorization code that waits to be redeemed, as if a user had consented."""

    #: Of the record whose tokens are given for the code.
    id: int
    code: str = _secret()
    #: The redirect address as the browser would be sent to it.
    location: str = _secret()
    expires_at: datetime

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> "Code":
        """Out of a twin's JSON."""
        return _read(cls, {**value, "expires_at": moment(value["expires_at"])})


@dataclass(frozen=True)
class Account:
    """Everybody and everything that was planted, of each record with its newest tokens."""

    users: List[User]
    clients: List[Client]
    api_tokens: List[ApiToken]
    tokens: List[Token]

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> "Account":
        """Out of the member ``account`` of ``GET /twin/state``."""
        return cls(
            users=[_read(User, each) for each in value["users"]],
            clients=[_read(Client, each) for each in value["clients"]],
            api_tokens=[_read(ApiToken, each) for each in value["api_tokens"]],
            tokens=[Token.read(each) for each in value["tokens"]],
        )


@dataclass(frozen=True)
class ClockReading:
    """What a twin's clock shows."""

    #: With its offset from UTC, in whole seconds.
    now: datetime
    #: Whether it stands still.
    frozen: bool
    #: How far it is ahead of the system's clock, in seconds.
    ahead_seconds: int

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> "ClockReading":
        """Out of the JSON of ``GET /twin/clock``."""
        return cls(moment(value["now"]), value["frozen"], value["ahead_seconds"])


@dataclass(frozen=True)
class JournalEntry:
    """A call that is over. It holds no secret."""

    #: Counts the calls of the twin from 1.
    number: int
    #: When it came, by the twin's clock.
    at: datetime
    method: str
    #: With its query, without secrets.
    path: str
    #: The row of the table of routes.
    route: Optional[str]
    #: ``None``: no answer was sent.
    status: Optional[int]
    #: What became of it, in a sentence.
    outcome: str
    user_id: Optional[int]
    client_id: Optional[int]
    #: The record that it was about, or whose token it presented.
    record_id: Optional[int]
    #: The public part of what it presented.
    credential: Optional[str]
    #: What went wrong on purpose, as text.
    faults: List[str]
    #: How long it took, in microseconds.
    micros: int
    #: What was asked, without secrets.
    request: Any
    #: What was answered, without secrets.
    answer: Any

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> "JournalEntry":
        """Out of a twin's JSON."""
        return _read(cls, {**value, "at": moment(value["at"])})

    def __str__(self) -> str:
        struck = f" [{', '.join(self.faults)}]" if self.faults else ""
        status = "no answer" if self.status is None else self.status
        return f"{self.number:>4} {self.method} {self.path} → {status}{struck}: {self.outcome}"


@dataclass(frozen=True)
class Journal:
    """Calls, the oldest first."""

    entries: List[JournalEntry]
    #: The number of the newest call, whatever was asked for: from where to read on.
    last: int
    #: How many older calls are no longer kept.
    dropped: int
    #: The number of the newest call that was forgotten when the journal was cleared; 0: never.
    cleared: int

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> "Journal":
        """Out of the JSON of ``GET /twin/journal``."""
        entries = [JournalEntry.read(each) for each in value["entries"]]
        return cls(entries, value["last"], value["dropped"], value["cleared"])

    def __iter__(self):
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __str__(self) -> str:
        return "\n".join(map(str, self.entries))
