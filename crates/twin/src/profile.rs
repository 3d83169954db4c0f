//! What Zendesk does to an account, as settings of the server.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::options::Expiry;

/// A state that Zendesk puts an account into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Access tokens never expire, and API tokens can be made: an account before October 2026.
    #[default]
    Legacy,
    /// Access tokens live for 30 minutes and refresh tokens for 30 days; no new API tokens.
    Refreshing,
    /// The same, and access tokens are JWTs, as clients get them whose expiry is enforced.
    Enforced,
    /// As `enforced`, and API tokens are refused: an account after 30 April 2027.
    #[serde(rename = "after-2027-04-30")]
    AfterApiTokens,
}

impl Profile {
    /// All of them, in the order in which Zendesk goes through them.
    pub const ALL: [Self; 4] =
        [Self::Legacy, Self::Refreshing, Self::Enforced, Self::AfterApiTokens];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Refreshing => "refreshing",
            Self::Enforced => "enforced",
            Self::AfterApiTokens => "after-2027-04-30",
        }
    }

    /// Whether access tokens expire in it when nobody asks for a lifetime.
    pub(crate) const fn expiry(self) -> Expiry {
        match self {
            Self::Legacy => Expiry::None,
            Self::Refreshing | Self::Enforced | Self::AfterApiTokens => Expiry::Enforced,
        }
    }

    /// What it means, in one sentence, and what of it is a guess.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Legacy => {
                "Access tokens never expire unless a client asks for it; API tokens work and can \
                 be made."
            }
            Self::Refreshing => {
                "Access tokens live for 30 minutes, refresh tokens for 30 days; API tokens work, \
                 and no new ones can be made (as since 27 October 2026)."
            }
            Self::Enforced => {
                "As refreshing, and access tokens are JWTs, as integrators report it of clients \
                 whose expiry is enforced. Which claims Zendesk puts into them is a guess."
            }
            Self::AfterApiTokens => {
                "As enforced, and API tokens are refused, as Zendesk has announced it for 30 April \
                 2027. That they will be refused like a wrong one (401, \"Couldn't authenticate \
                 you\") is a guess."
            }
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A word that names no profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no profile {0:?}: choose legacy, refreshing, enforced or after-2027-04-30")]
pub struct UnknownProfile(String);

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, UnknownProfile> {
        let found = Self::ALL.into_iter().find(|profile| profile.as_str() == text);
        found.ok_or_else(|| UnknownProfile(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_written_one_way_everywhere() {
        for profile in Profile::ALL {
            assert_eq!(profile.to_string().parse(), Ok(profile));
            assert_eq!(serde_json::to_value(profile).unwrap(), profile.as_str());
        }
        let unknown = "Legacy".parse::<Profile>().unwrap_err().to_string();
        assert!(unknown.contains("choose legacy"), "{unknown}");
    }
}
