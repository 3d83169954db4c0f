//! The resources that scopes can name.

use tokenry_protocol::scope::{InvalidScope, ScopeCatalog};

use super::{
    error::Fault,
    kinds::{Kind, Raw, Shown, toml_text},
    section::section,
};

/// The resources that the record API documents, and `oauth` and `groups`.
const RESOURCES: [&str; 19] = [
    "any_channel:write",
    "apps",
    "auditlogs:read",
    "automations",
    "dynamic_content",
    "groups",
    "hc",
    "macros",
    "oauth",
    "organizations",
    "requests",
    "satisfaction_ratings",
    "targets",
    "tickets",
    "triggers",
    "users",
    "web_widget:write",
    "webhooks",
    "zis",
];

section! {
    /// What scopes can name besides `read`, `write`, `impersonate` and `unrestricted`, which are
    /// always there.
    Scopes "scopes." {
        /// The resources of your API. `tickets` offers the scopes `tickets`, `tickets:read` and
        /// `tickets:write`; `auditlogs:read` offers reading only. Names are 1 to 100 of a–z, 0–9,
        /// `_`, `.` and `-`. The list replaces the default: keep `oauth` and `users`, which the
        /// server's own API asks for. In an environment variable, separate them by commas.
        resources: Vec<String> = RESOURCES.map(str::to_owned).to_vec(), ResourceList;
    }
}

impl Scopes {
    /// The names as the rules of scope use them. Cannot fail on a list that was loaded.
    pub fn catalog(&self) -> Result<ScopeCatalog, InvalidScope> {
        ScopeCatalog::new(self.resources.iter().map(String::as_str))
    }
}

struct ResourceList;

const REMEDY: &str = "write a list such as [\"tickets\", \"auditlogs:read\"]";

impl Kind for ResourceList {
    type Value = Vec<String>;

    fn parse(&self, raw: &Raw) -> Result<Vec<String>, Fault> {
        let items = raw.list().ok_or_else(|| {
            Fault::new(format!("{} is not a list of names", raw.quoted()), REMEDY)
        })?;
        let mut wrong = Vec::new();
        for (at, item) in items.iter().enumerate() {
            if ScopeCatalog::new([item.as_str()]).is_err() {
                wrong.push(format!("{} is no resource", Raw::Text(item.clone()).quoted()));
            } else if items.iter().take(at).any(|earlier| earlier == item) {
                wrong.push(format!("{item} is there twice"));
            }
        }
        if wrong.is_empty() {
            Ok(items)
        } else {
            let remedy = "a resource is a name of a-z 0-9 _ . - with at most one :read or :write, \
                 and none of the general scopes read, write, impersonate, unrestricted";
            Err(Fault::new(wrong.join(", "), remedy))
        }
    }

    fn show(&self, value: &Vec<String>) -> Shown {
        let items: Vec<_> = value.iter().map(|item| toml_text(item)).collect();
        Shown::Toml(format!("[{}]", items.join(", ")))
    }

    fn name(&self) -> String {
        "list of text".to_owned()
    }
}
