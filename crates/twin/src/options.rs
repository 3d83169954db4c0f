//! How a twin is started.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use tokenry_core::policy::{self, AccessTokenFormat};
use tokenry_protocol::time::Timestamp;
use tokenry_server::config::{Config, Mode};

use crate::{
    connect::zendesk_host,
    faults::{Rule, Scenario},
    profile::Profile,
    seed::Seed,
};

/// Stands above every page.
const NOTICE: &str =
    "A double of Zendesk, for tests: nothing here is Zendesk, and nothing is real.";
/// What Zendesk gives clients whose expiry is enforced.
const ENFORCED: Duration = Duration::from_secs(1_800);

/// Whether access tokens expire when nobody asks for a lifetime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expiry {
    /// After 30 minutes.
    Enforced,
    /// Never.
    None,
}

/// What becomes of a refresh token that was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rotation {
    /// It is dead at once, as at Zendesk: who loses the answer has to ask the user again.
    SingleUse,
    /// Its answer is given again while nothing of it was used, as Tokenry does.
    Forgiving,
}

/// How a twin is started. [`Options::default`] is what `tokenry twin` does without flags, but for
/// the port: any free one.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Whether `listen` may be an address that others can reach.
    pub allow_remote: bool,
    /// The state that the account is in; `None` is what the scenario takes, or else
    /// [`Profile::Legacy`].
    pub profile: Option<Profile>,
    /// Instead of what the profile says.
    pub expiry: Option<Expiry>,
    /// Instead of [`Rotation::SingleUse`].
    pub rotation: Option<Rotation>,
    /// The account's name, `acme` of `acme.zendesk.com`.
    pub subdomain: String,
    /// Where the account is kept; `None` is in memory, and gone with the twin. Clock, faults,
    /// snapshots and journal are not kept.
    pub data: Option<PathBuf>,
    /// The time at which its clock starts; `None` is now.
    pub clock: Option<Timestamp>,
    /// Who and what is in the account; `None` is what `data` holds already, or else
    /// [`Seed::contract_cast`]. A folder that came of another seed is refused.
    pub seed: Option<Seed>,
    /// A run of troubles.
    pub scenario: Option<Scenario>,
    /// What goes wrong besides.
    pub faults: Vec<Rule>,
    /// What decides about probabilities, so that a run can be repeated.
    pub fault_seed: u64,
    /// The port, beside that of `listen`, of a proxy that leads `https://SUBDOMAIN.zendesk.com` and
    /// `hosts` here, for programs that call no other address; 0 takes any free one, `None` is no
    /// proxy.
    pub https_port: Option<u16>,
    /// Where the certificate of whoever vouches for that proxy is written; `None` is a temporary
    /// file.
    pub ca_file: Option<PathBuf>,
    /// Names by which browsers may call it, besides IP addresses, names without a dot, those of
    /// this machine and of tests (`*.localhost`, `*.test`), and the account's at Zendesk. Any other
    /// could be that of a site that has pointed it here.
    pub hosts: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            allow_remote: false,
            profile: None,
            expiry: None,
            rotation: None,
            subdomain: "acme".to_owned(),
            data: None,
            clock: None,
            seed: None,
            scenario: None,
            faults: Vec::new(),
            fault_seed: 0,
            https_port: None,
            ca_file: None,
            hosts: Vec::new(),
        }
    }
}

impl Options {
    /// What Zendesk's own account of this name is called by.
    pub(crate) fn zendesk_host(&self) -> String {
        zendesk_host(&self.subdomain)
    }

    /// The state that the account is in at first.
    pub(crate) fn first_profile(&self) -> Profile {
        let of_scenario = || self.scenario.as_ref()?.profile;
        self.profile.or_else(of_scenario).unwrap_or_default()
    }

    /// What the server does when the account is in a profile.
    pub(crate) fn config(&self, profile: Profile) -> Config {
        let mut config = Config::defaults(Mode::Twin);
        config.notice = Some(NOTICE.to_owned());
        config.tokens.rotation = match self.rotation {
            Some(Rotation::Forgiving) => policy::Rotation::Forgiving,
            Some(Rotation::SingleUse) | None => policy::Rotation::SingleUse,
        };
        config.tokens.access_token_lifetime = match self.expiry.unwrap_or(profile.expiry()) {
            Expiry::Enforced => Some(ENFORCED),
            Expiry::None => None,
        };
        config.tokens.access_token_format = match profile {
            Profile::Legacy | Profile::Refreshing => AccessTokenFormat::Opaque,
            Profile::Enforced | Profile::AfterApiTokens => AccessTokenFormat::Jwt,
        };
        config.api_tokens.creation = profile == Profile::Legacy;
        config.api_tokens.enabled = profile != Profile::AfterApiTokens;
        // As cheap as it gets: what a double guards is worth nothing.
        config.sign_in.password_hash_memory = 8 << 10;
        config.sign_in.password_hash_iterations = 1;
        config
    }
}
