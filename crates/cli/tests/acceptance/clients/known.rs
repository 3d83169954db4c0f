//! The clients, and how each is driven.

use serde_json::{Value, json};

use super::faults;
use crate::script::Language;

/// A client.
pub(super) struct Client {
    /// As its registry has it.
    pub(super) name: &'static str,
    /// Where it comes from, and what of it is driven.
    pub(super) about: &'static str,
    /// What whoever uses it can do about its weaknesses.
    pub(super) advice: &'static str,
    pub(super) language: Language,
    pub(super) script: &'static str,
    pub(super) kind: Kind,
    /// How it can be set up; the faults are measured with the last.
    pub(super) ways: &'static [Way],
}

/// One set-up of a client.
pub(super) struct Way {
    /// With what it signs in, or what it asks for.
    pub(super) name: &'static str,
    /// What its script is told besides.
    pub(super) option: (&'static str, Setting),
    /// The head of its column among the faults; `None`: the name of the client.
    pub(super) head: Option<&'static str>,
    /// Whether faults are measured with it.
    pub(super) faults: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Setting {
    Text(&'static str),
    Flag(bool),
}

impl Way {
    pub(super) fn add_to(&self, account: &mut Value) {
        let (name, setting) = self.option;
        account[name] = match setting {
            Setting::Text(text) => json!(text),
            Setting::Flag(flag) => json!(flag),
        };
    }
}

/// What a client does with tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It calls the record API with a credential that it was given.
    Calls(&'static [&'static str]),
    /// It redeems a code and refreshes, and reads with what that gives.
    Refreshes,
    /// It signs somebody in.
    SignsIn,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Calls(&[]), Self::Refreshes, Self::SignsIn];

    pub(super) const fn faults(self) -> &'static [&'static str] {
        match self {
            Self::Calls(_) => faults::ON_A_READ,
            Self::Refreshes => faults::ON_A_REFRESH,
            Self::SignsIn => faults::ON_A_CODE,
        }
    }

    /// The jobs of a run without faults.
    pub(super) const fn jobs(self) -> &'static [&'static str] {
        match self {
            Self::Calls(jobs) => jobs,
            Self::Refreshes | Self::SignsIn => &["redeem", "read"],
        }
    }

    /// What it does again and again.
    pub(super) const fn main_job(self) -> &'static str {
        match self {
            Self::Calls(_) => "me",
            Self::Refreshes => "read",
            Self::SignsIn => "redeem",
        }
    }

    pub(super) fn is_like(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}

const RECORDS: &[&str] =
    &["me", "list_tokens", "create_token", "show_token", "revoke_token", "list_clients"];

const fn signs_in(name: &'static str) -> Way {
    Way { name, option: ("sign_in", Setting::Text(name)), head: None, faults: true }
}

const API_TOKEN: Way = signs_in("API token");
const BOTH: &[Way] = &[Way { faults: false, ..API_TOKEN }, signs_in("access token")];
const ASKS: &[Way] = &[
    Way {
        name: "as its documentation has it",
        option: ("asks", Setting::Flag(false)),
        head: None,
        faults: false,
    },
    Way {
        name: "asks for `expires_in`",
        option: ("asks", Setting::Flag(true)),
        head: None,
        faults: true,
    },
];

const fn connector(name: &'static str, head: &'static str, told: &'static str) -> Way {
    let option = ("connector", Setting::Text(told));
    Way { name, option, head: Some(head), faults: true }
}

const NEW_TOKEN: &str = "It is given an access token and cannot refresh it: from 1 April 2027 give \
    it a fresh one at each start and after each 401, from something that refreshes.";

pub(super) const CLIENTS: &[Client] = &[
    Client {
        name: "python-zendesk",
        about: "PyPI, unmodified: tokens by cursor, clients, the caller. It signs in with Basic \
                alone, and its token endpoint takes no parameters.",
        advice: "It has no use for an access token, so it ends with API tokens: move to a client \
                 that takes one before 30 April 2027.",
        language: Language::Python,
        script: "driven-python-zendesk.py",
        kind: Kind::Calls(RECORDS),
        ways: &[API_TOKEN],
    },
    Client {
        name: "zdesk",
        about: "PyPI, unmodified: tokens by page number, clients, the caller.",
        advice: "Name what it is to repeat (`retry_on`, `max_retries`); as it comes it repeats \
                 nothing. It cannot refresh: build it anew with a fresh access token after a 401.",
        language: Language::Python,
        script: "driven-zdesk.py",
        kind: Kind::Calls(RECORDS),
        ways: BOTH,
    },
    Client {
        name: "zenpy",
        about: "PyPI, unmodified: the caller and a user; it knows no tokens and no clients. That \
                it does not refresh is zenpy#678.",
        advice: "Give it a `ratelimit_budget`, or it waits for as long as it is refused. It cannot \
                 refresh (zenpy#678): build it anew with a fresh access token after a 401.",
        language: Language::Python,
        script: "driven-zenpy.py",
        kind: Kind::Calls(&["me", "show_user"]),
        ways: BOTH,
    },
    Client {
        name: "node-zendesk",
        about: "npm, unmodified: tokens by cursor, clients, the caller.",
        advice: "Look at what `users.me()` and its like return: after 429, 502, 503 and 504 it is \
                 no error and undefined. Set a limit of time yourself: an answer that breaks off \
                 is waited for without end. It repeats nothing. It cannot refresh: build it anew \
                 with a fresh access token after a 401.",
        language: Language::Node,
        script: "driven-node-zendesk.mjs",
        kind: Kind::Calls(RECORDS),
        ways: BOTH,
    },
    Client {
        name: "zendesk_api",
        about: "The Ruby gem, replayed: neither Debian nor a registry that the tests reach has it, \
                so its requests, their headers and what it makes of each answer are sent by a \
                program, with `config.retry = true` as its documentation has it. Tokens by page \
                number, clients by cursor, saving and deleting through `url`.",
        advice: "Set `config.retry` and `retry_on_exception`. Use the bang methods, or what failed \
                 looks like nothing found. It cannot refresh before zendesk_api_client_rb#593.",
        language: Language::Python,
        script: "replayed-zendesk-api.py",
        kind: Kind::Calls(&[
            "me",
            "list_tokens",
            "create_token",
            "show_token",
            "revoke_token",
            "list_clients",
            "save_client",
        ]),
        ways: BOTH,
    },
    Client {
        name: "zendesk-java-client",
        about: "Replayed from zendesk-java-client#758: the access token is given when the client \
                is built, every status but 2xx is an exception.",
        advice: NEW_TOKEN,
        language: Language::Python,
        script: "replayed-connectors.py",
        kind: Kind::Calls(&["me"]),
        ways: &[connector("access token", "zendesk-java-client", "zendesk-java-client")],
    },
    Client {
        name: "Authlib",
        about: "PyPI, unmodified: `OAuth2Session` of `requests` with `update_token`, at \
                `/oauth/tokens`.",
        advice: "Ask for `expires_in`, in `fetch_token` and by a hook for `refresh_token_request`: \
                 without it no refresh ever comes. After an error of a refresh read the pair again \
                 from where it is kept, and repeat the refresh at most once.",
        language: Language::Python,
        script: "driven-authlib.py",
        kind: Kind::Refreshes,
        ways: ASKS,
    },
    Client {
        name: "simple-oauth2",
        about: "npm, unmodified, with `tokenPath: '/oauth/tokens'`; the application asks \
                `expired()` before each use, as its documentation shows.",
        advice: "Ask for `expires_in` in `getToken` and in `refresh`, or `expired()` is never \
                 true. Keep the token as soon as `refresh` has answered.",
        language: Language::Node,
        script: "driven-simple-oauth2.mjs",
        kind: Kind::Refreshes,
        ways: ASKS,
    },
    Client {
        name: "Nango",
        about: "Replayed from Nango#6775: a connection whose answers had no `expires_in` is never \
                refreshed; and with Nango#6763, which asks for it.",
        advice: "Use a version with Nango#6763, and connect again what was connected before.",
        language: Language::Python,
        script: "replayed-connectors.py",
        kind: Kind::Refreshes,
        ways: &[
            connector("as reported in #6775", "Nango#6775", "Nango"),
            connector("with #6763", "Nango#6763", "Nango since"),
        ],
    },
    Client {
        name: "Airbyte",
        about: "Replayed from Airbyte#83815: the check before a source is saved spends the refresh \
                token and drops its successor; and with that mended. The report does not say \
                whether its refresh asks for `expires_in`; here it does, like the mended exchange.",
        advice: "Use a version with Airbyte#83815, and sign in again for sources made before: what \
                 they hold is spent.",
        language: Language::Python,
        script: "replayed-connectors.py",
        kind: Kind::Refreshes,
        ways: &[
            connector("as reported in #83815", "Airbyte#83815", "Airbyte"),
            connector("with #83815", "Airbyte, mended", "Airbyte since"),
        ],
    },
    Client {
        name: "zendesk_api_client_rb#593",
        about: "Replayed from that change, which is not released: a 401 leads to a refresh, and \
                the call that was refused fails all the same.",
        advice: "Call once more after a 401. It needs no `expires_in`, and so nothing wrong in one \
                 harms it.",
        language: Language::Python,
        script: "replayed-connectors.py",
        kind: Kind::Refreshes,
        ways: &[connector("`auto_refresh_tokens`", "zendesk_api#593", "zendesk_api")],
    },
    Client {
        name: "passport-zendesk",
        about: "npm, unmodified but for where its requests go: a whole sign-in, from its redirect \
                to the profile.",
        advice: "It signs in and no more: keep the refresh token that `verify` is given, and \
                 refresh by other means. What fails is mended by signing in again; set a limit of \
                 time, for an answer that breaks off is waited for without end.",
        language: Language::Node,
        script: "driven-passport-zendesk.mjs",
        kind: Kind::SignsIn,
        ways: &[Way {
            name: "code",
            option: ("asks", Setting::Flag(false)),
            head: None,
            faults: true,
        }],
    },
];
