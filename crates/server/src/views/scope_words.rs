//! What a scope token (RFC 6749 §3.3) allows, in words for people who consent.

/// How far a permission reaches; pages give each its own sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeKind {
    /// Looks and changes nothing.
    View,
    /// Changes. Looking is not part of it.
    Change,
    /// Both.
    ViewAndChange,
    /// Reaches beyond one's own things, or everything there is.
    Sensitive,
}

/// One permission in plain words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeWords {
    /// Completes the sentence "it can …": starts with a capital, ends without a full stop.
    pub title: String,
    /// One or two full sentences.
    pub detail: String,
    /// How far it reaches.
    pub kind: ScopeKind,
}

impl ScopeWords {
    fn new(title: &str, detail: &str, kind: ScopeKind) -> Self {
        Self { title: title.to_owned(), detail: detail.to_owned(), kind }
    }
}

/// A resource that the record API documents.
struct Resource {
    name: &'static str,
    /// Fits after "View", "Change" and "View and change".
    noun: &'static str,
    /// `None` where the resource does not offer it.
    view: Option<&'static str>,
    change: Option<&'static str>,
}

/// What to say of the words that name no resource.
fn describe_general(scope_token: &str) -> Option<ScopeWords> {
    let (title, detail, kind) = match scope_token {
        "read" => (
            "View everything in your account",
            "All data that you can open yourself. It cannot change anything.",
            ScopeKind::View,
        ),
        "write" => (
            "Create, change and delete anything in your account",
            "Everything that you may change yourself. Viewing is a permission of its own.",
            ScopeKind::Change,
        ),
        "unrestricted" => (
            "Do everything that you can do",
            "View, create, change and delete all that you can reach yourself.",
            ScopeKind::Sensitive,
        ),
        "impersonate" => (
            "Act in the name of other people",
            "Make requests as any end user, as if they had made them. It works only while you are \
             an administrator.",
            ScopeKind::Sensitive,
        ),
        _ => return None,
    };
    Some(ScopeWords::new(title, detail, kind))
}

/// Says what a scope token allows. A resource that is not documented is called by its own name;
/// such a name may allow nothing, so the words promise no more than the name does.
pub fn describe_scope(scope_token: &str) -> ScopeWords {
    if let Some(words) = describe_general(scope_token) {
        return words;
    }
    let (name, asked) = match scope_token.rsplit_once(':') {
        Some((name, "read")) => (name, ScopeKind::View),
        Some((name, "write")) => (name, ScopeKind::Change),
        _ => (scope_token, ScopeKind::ViewAndChange),
    };
    let known = RESOURCES.iter().find(|resource| resource.name == name);
    let offered = known.and_then(|resource| resource.describe(asked));
    offered.unwrap_or_else(|| ScopeWords {
        title: format!("{} {}", verb(asked), name.replace(['_', '-', '.'], " ")),
        detail: format!("Whatever the permission “{scope_token}” stands for here."),
        kind: asked,
    })
}

const fn verb(kind: ScopeKind) -> &'static str {
    match kind {
        ScopeKind::View => "View",
        ScopeKind::Change => "Change",
        ScopeKind::ViewAndChange | ScopeKind::Sensitive => "View and change",
    }
}

impl Resource {
    /// The words for what was asked, or for the part of it that this resource offers; `None` when
    /// it offers none of it.
    fn describe(&self, asked: ScopeKind) -> Option<ScopeWords> {
        let view = self.view.filter(|_| asked != ScopeKind::Change);
        let change = self.change.filter(|_| asked != ScopeKind::View);
        let (kind, detail) = match (view, change) {
            (Some(view), Some(change)) => (ScopeKind::ViewAndChange, format!("{view} {change}")),
            (Some(view), None) => (ScopeKind::View, format!("{view} It cannot change anything.")),
            (None, Some(change)) => (ScopeKind::Change, change.to_owned()),
            (None, None) => return None,
        };
        Some(ScopeWords { title: format!("{} {}", verb(kind), self.noun), detail, kind })
    }
}

/// The documented resources, by name.
const RESOURCES: [Resource; 19] = [
    Resource {
        name: "any_channel",
        noun: "messages from connected channels",
        view: None,
        change: Some("Send in messages from outside channels, which become tickets."),
    },
    Resource {
        name: "apps",
        noun: "installed apps",
        view: Some("See the apps installed in the workspace and their settings."),
        change: Some("Install, set up and remove apps of the workspace."),
    },
    Resource {
        name: "auditlogs",
        noun: "audit logs",
        view: Some("See who changed what in the account, and when."),
        change: None,
    },
    Resource {
        name: "automations",
        noun: "automations",
        view: Some("See rules that act when time has passed."),
        change: Some("Create, change and delete rules that act when time has passed."),
    },
    Resource {
        name: "dynamic_content",
        noun: "dynamic content",
        view: Some("See texts that are kept in several languages."),
        change: Some("Create, change and delete texts that are kept in several languages."),
    },
    Resource {
        name: "groups",
        noun: "groups",
        view: Some("See groups of agents and who belongs to them."),
        change: Some("Create, change and delete groups, and move agents between them."),
    },
    Resource {
        name: "hc",
        noun: "the help center",
        view: Some("Read articles, posts and comments, with drafts that you can open."),
        change: Some("Write, publish and delete articles, posts and comments."),
    },
    Resource {
        name: "macros",
        noun: "macros",
        view: Some("See prepared answers and actions."),
        change: Some("Create, change and delete prepared answers and actions."),
    },
    Resource {
        name: "oauth",
        noun: "connected apps and access tokens",
        view: Some("See which apps have access to your account, with their permissions."),
        change: Some("Give and end access in your name; as an administrator, also register apps."),
    },
    Resource {
        name: "organizations",
        noun: "organizations",
        view: Some("See organizations and who belongs to them."),
        change: Some("Create, change and delete organizations and their members."),
    },
    Resource {
        name: "requests",
        noun: "your support requests",
        view: Some("Read the requests that you made as a customer, and the answers."),
        change: Some("Make requests and answer them in your name."),
    },
    Resource {
        name: "satisfaction_ratings",
        noun: "satisfaction ratings",
        view: Some("Read ratings and comments that customers gave."),
        change: Some("Add ratings to solved tickets."),
    },
    Resource {
        name: "targets",
        noun: "notification targets",
        view: Some("See outside addresses that are told about changes."),
        change: Some("Create, change and delete outside addresses that are told about changes."),
    },
    Resource {
        name: "tickets",
        noun: "tickets",
        view: Some("Read tickets with their comments, files and history."),
        change: Some("Create, answer, change and delete tickets."),
    },
    Resource {
        name: "triggers",
        noun: "triggers",
        view: Some("See rules that act when a ticket changes."),
        change: Some("Create, change and delete rules that act when a ticket changes."),
    },
    Resource {
        name: "users",
        noun: "people’s profiles",
        view: Some("See names, email addresses and roles, your own included."),
        change: Some("Create, change and delete people’s profiles, your own included."),
    },
    Resource {
        name: "web_widget",
        noun: "the web widget",
        view: None,
        change: Some("Change how the support widget on your websites looks and works."),
    },
    Resource {
        name: "webhooks",
        noun: "webhooks",
        view: Some("See which outside services are called when something happens."),
        change: Some("Create, change and delete calls to outside services."),
    },
    Resource {
        name: "zis",
        noun: "integration services",
        view: Some("See integrations and how they are set up."),
        change: Some("Create, change and delete integrations and what they do."),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn general_words_have_words_of_their_own() {
        for (scope_token, title, kind) in [
            ("read", "View everything in your account", ScopeKind::View),
            ("write", "Create, change and delete anything in your account", ScopeKind::Change),
            ("unrestricted", "Do everything that you can do", ScopeKind::Sensitive),
            ("impersonate", "Act in the name of other people", ScopeKind::Sensitive),
        ] {
            let words = describe_scope(scope_token);
            assert_eq!((words.title.as_str(), words.kind), (title, kind), "{scope_token}");
        }
    }

    #[test]
    fn a_resource_says_whether_it_is_viewed_or_changed_or_both() {
        for (scope_token, title, detail, kind) in [
            (
                "tickets:read",
                "View tickets",
                "Read tickets with their comments, files and history. It cannot change anything.",
                ScopeKind::View,
            ),
            (
                "tickets:write",
                "Change tickets",
                "Create, answer, change and delete tickets.",
                ScopeKind::Change,
            ),
            (
                "tickets",
                "View and change tickets",
                "Read tickets with their comments, files and history. \
                 Create, answer, change and delete tickets.",
                ScopeKind::ViewAndChange,
            ),
        ] {
            let expected = ScopeWords::new(title, detail, kind);
            assert_eq!(describe_scope(scope_token), expected);
        }
    }

    fn offered(name: &str) -> &[&str] {
        match name {
            "auditlogs" => &["", ":read"],
            "any_channel" | "web_widget" => &["", ":write"],
            _ => &["", ":read", ":write"],
        }
    }

    #[test]
    fn a_resource_is_described_by_the_access_that_it_offers() {
        assert_eq!(describe_scope("auditlogs"), describe_scope("auditlogs:read"));
        assert_eq!(describe_scope("web_widget"), describe_scope("web_widget:write"));
        let nothing = describe_scope("auditlogs:write");
        assert!(nothing.detail.starts_with("Whatever"), "{nothing:?}");
    }

    #[test]
    fn every_documented_resource_has_words_for_each_access() {
        let documented = "tickets users auditlogs organizations hc apps triggers automations \
            targets webhooks macros requests satisfaction_ratings dynamic_content any_channel \
            web_widget zis groups oauth";
        for name in documented.split_ascii_whitespace() {
            for access in offered(name) {
                let words = describe_scope(&format!("{name}{access}"));
                assert!(!words.detail.contains("permission “"), "{name}{access}");
                assert!(!words.title.contains('_'), "{name}{access}");
                assert!(words.detail.ends_with('.'), "{name}{access}");
            }
        }
        assert_eq!(
            RESOURCES.len(),
            documented.split_ascii_whitespace().count(),
            "no words for what is not documented"
        );
    }

    #[test]
    fn another_resource_is_called_by_its_name_and_promised_nothing() {
        for (scope_token, title, kind) in [
            ("purchase_orders:read", "View purchase orders", ScopeKind::View),
            ("invoices:write", "Change invoices", ScopeKind::Change),
            ("invoices", "View and change invoices", ScopeKind::ViewAndChange),
        ] {
            let words = describe_scope(scope_token);
            assert_eq!((words.title.as_str(), words.kind), (title, kind));
            assert_eq!(
                words.detail,
                format!("Whatever the permission “{scope_token}” stands for here.")
            );
        }
    }
}
