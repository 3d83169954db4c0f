//! Every reason for which a grant endpoint refuses, and the one table from reason to error code.

use tokenry_protocol::{
    oauth::{
        error::{ErrorCode, ErrorResponse},
        parameters::InvalidRequest,
    },
    scope::ScopeToken,
};

/// Why a request is refused. Logs name the reason; the wire gets [`Rejection::answer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// The request breaks the grammar.
    Invalid(InvalidRequest),
    /// No client was named.
    ClientMissing,
    /// No such client.
    ClientUnknown,
    /// The secret is not the client's, is missing, or comes from a public client.
    ClientSecretWrong,
    /// An administrator stopped the client.
    ClientDisabled,
    /// More than one method of client authentication (RFC 6749 §2.3).
    TwoMethods,
    /// The grant type is not offered.
    GrantTypeUnknown,
    /// The client may not use the grant type.
    GrantTypeNotAllowed,
    /// A name in the scope means nothing here.
    ScopeUnknown(Vec<ScopeToken>),
    /// More than the client may ever ask for.
    ScopeNotAllowed(Vec<ScopeToken>),
    /// More than was approved.
    ScopeWider(Vec<ScopeToken>),
    /// The text is no credential of ours, or names no record.
    CredentialUnknown,
    /// It has our form and another's tag: somebody made it up.
    CredentialForged,
    /// It belongs to another client.
    ForeignClient,
    /// Its time is over.
    CredentialExpired,
    /// It was redeemed by a request that came first: a moment ago, or before this one that has not
    /// proved its client.
    AlreadyRedeemed,
    /// It was redeemed or rotated before: the grant ends.
    Replayed,
    /// The redirect address is not the one that the code was sent to.
    RedirectUriDifferent,
    /// The verifier is missing, wrong, or answers no challenge (RFC 7636 §4.6).
    VerifierWrong,
    /// The user was suspended or deleted.
    UserGone,
    /// A repeat asks for other tokens than it had.
    RepeatDiffers,
    /// The record has been rotated as often as its count can tell.
    RotationsSpent,
    /// It was rotated away, where that makes it worthless and nothing more.
    RotatedAway,
}

impl From<InvalidRequest> for Rejection {
    fn from(invalid: InvalidRequest) -> Self {
        Self::Invalid(invalid)
    }
}

impl Rejection {
    /// The error code of this reason.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid(invalid) => invalid.code,
            Self::TwoMethods => ErrorCode::InvalidRequest,
            Self::ClientMissing
            | Self::ClientUnknown
            | Self::ClientSecretWrong
            | Self::ClientDisabled => ErrorCode::InvalidClient,
            Self::GrantTypeUnknown => ErrorCode::UnsupportedGrantType,
            Self::GrantTypeNotAllowed => ErrorCode::UnauthorizedClient,
            Self::ScopeUnknown(_) | Self::ScopeNotAllowed(_) | Self::ScopeWider(_) => {
                ErrorCode::InvalidScope
            }
            Self::CredentialUnknown
            | Self::CredentialForged
            | Self::ForeignClient
            | Self::CredentialExpired
            | Self::AlreadyRedeemed
            | Self::Replayed
            | Self::RedirectUriDifferent
            | Self::VerifierWrong
            | Self::UserGone
            | Self::RepeatDiffers
            | Self::RotationsSpent
            | Self::RotatedAway => ErrorCode::InvalidGrant,
        }
    }

    /// What the client is told. One sentence for all that a thief could learn from.
    pub fn answer(&self) -> ErrorResponse {
        error_response(self.code(), &self.description())
    }

    fn description(&self) -> String {
        match self {
            Self::Invalid(invalid) => invalid.description.clone(),
            Self::TwoMethods => "Use one method of client authentication.".to_owned(),
            Self::GrantTypeUnknown => "This grant type is not offered.".to_owned(),
            Self::GrantTypeNotAllowed => "This client may not use this grant.".to_owned(),
            Self::ScopeUnknown(names) => format!("Unknown scope: {}", list(names)),
            Self::ScopeNotAllowed(names) => format!("Not allowed for this client: {}", list(names)),
            Self::ScopeWider(names) => format!("Wider than the grant: {}", list(names)),
            Self::RepeatDiffers => {
                "A repeated refresh must ask for the same scope and lifetimes.".to_owned()
            }
            reason if reason.code() == ErrorCode::InvalidClient => {
                "Unknown client or wrong credentials.".to_owned()
            }
            _ => "The grant is invalid, expired or used.".to_owned(),
        }
    }

    /// The word for logs and events.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_request",
            Self::ClientMissing => "client_missing",
            Self::ClientUnknown => "client_unknown",
            Self::ClientSecretWrong => "client_secret_wrong",
            Self::ClientDisabled => "client_disabled",
            Self::TwoMethods => "two_methods",
            Self::GrantTypeUnknown => "grant_type_unknown",
            Self::GrantTypeNotAllowed => "grant_type_not_allowed",
            Self::ScopeUnknown(_) => "scope_unknown",
            Self::ScopeNotAllowed(_) => "scope_not_allowed",
            Self::ScopeWider(_) => "scope_wider",
            Self::CredentialUnknown => "credential_unknown",
            Self::CredentialForged => "credential_forged",
            Self::ForeignClient => "foreign_client",
            Self::CredentialExpired => "credential_expired",
            Self::AlreadyRedeemed => "already_redeemed",
            Self::Replayed => "replayed",
            Self::RedirectUriDifferent => "redirect_uri_different",
            Self::VerifierWrong => "verifier_wrong",
            Self::UserGone => "user_gone",
            Self::RepeatDiffers => "repeat_differs",
            Self::RotationsSpent => "rotations_spent",
            Self::RotatedAway => "rotated_away",
        }
    }
}

/// Keeps a description to the characters that RFC 6749 §5.2 allows there, since it may quote what a
/// stranger sent: printable ASCII without `"` and `\`.
pub(crate) fn error_response(error: ErrorCode, description: &str) -> ErrorResponse {
    let allowed = |c| match c {
        '"' => '\'',
        ' '..='~' if c != '\\' => c,
        _ => '?',
    };
    ErrorResponse { error, error_description: description.chars().map(allowed).collect() }
}

fn list(names: &[ScopeToken]) -> String {
    names.iter().map(ScopeToken::as_str).collect::<Vec<_>>().join(" ")
}
