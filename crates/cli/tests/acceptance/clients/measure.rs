//! A client with each profile and each fault.

use serde_json::Value;

use super::{
    driver::Driver,
    faults,
    known::{Client, Kind, Way},
    verdict::{Heard, Seen, Verdict},
};
use crate::twin::{Credential, Twin};

/// As `Profile::ALL` has them.
pub(super) const PROFILES: [&str; 4] = ["legacy", "refreshing", "enforced", "after-2027-04-30"];
/// Longer than an access token lives.
const A_LIFE: u64 = 31 * 60;

/// What one set-up of a client does.
pub(super) struct Measured {
    pub(super) client: &'static Client,
    pub(super) way: &'static Way,
    /// Its name and version, as it says.
    pub(super) driven: String,
    pub(super) profiles: Vec<Run>,
    /// In the order of [`Kind::faults`]; empty where the set-up is not measured with them.
    pub(super) faults: Vec<Verdict>,
}

/// A run in one profile.
pub(super) struct Run {
    /// The jobs that failed, with their errors.
    pub(super) failed: Vec<(&'static str, String)>,
    /// The main job, when an access token's life has passed, and when another has.
    pub(super) later: Verdict,
}

/// One client at twins of its own.
pub(super) struct Bench {
    client: &'static Client,
    way: &'static Way,
    single_use: (Twin, Driver),
    forgiving: (Twin, Driver),
}

impl Bench {
    pub(super) fn new(client: &'static Client, way: &'static Way) -> Self {
        let place = |rotation| {
            let twin = Twin::start(rotation);
            let driver = Driver::start(client.language, client.script, twin.base());
            (twin, driver)
        };
        Self { client, way, single_use: place("single-use"), forgiving: place("forgiving") }
    }

    pub(super) fn measure(mut self) -> Measured {
        let profiles = PROFILES.map(|profile| self.run(profile)).into();
        let rows = if self.way.faults { self.client.kind.faults() } else { &[] };
        let faults = rows.iter().map(|row| self.strike(row)).collect();
        let driven = self.single_use.1.driven.clone();
        Measured { client: self.client, way: self.way, driven, profiles, faults }
    }

    /// Every job, and the main one when the access token is over.
    fn run(&mut self, profile: &str) -> Run {
        let kind = self.client.kind;
        let (twin, driver) = &mut self.single_use;
        let account = open(twin, driver, self.way, profile);
        let heard = kind.jobs().iter().map(|job| (*job, driver.job(job)));
        let failed: Vec<_> =
            heard.filter_map(|(job, heard)| heard.err().map(|error| (job, error))).collect();
        pass_a_life(twin, driver, kind);
        let job = match kind {
            Kind::Calls(_) => "me",
            Kind::Refreshes | Kind::SignsIn => "read",
        };
        let first = driver.job(job);
        let again = again(driver, job);
        pass_a_life(twin, driver, kind);
        let jobs = [first, again, self::again(driver, job)];
        let holds_good = holds_good(twin, driver, kind, &account);
        let later = Verdict::of(&Seen { struck: 1, calls: 0, usual: 0, jobs, holds_good });
        Run { failed, later }
    }

    fn strike(&mut self, row: &str) -> Verdict {
        let (rule, rotation) = faults::rule(row);
        let (twin, driver) = match rotation {
            "forgiving" => &mut self.forgiving,
            _ => &mut self.single_use,
        };
        let kind = self.client.kind;
        let job = kind.main_job();
        prepare(twin, driver, self.way, kind);
        let (_, usual) = counted(twin, driver, job);
        let account = prepare(twin, driver, self.way, kind);
        twin.put_in_force(rule);
        let (first, calls) = counted(twin, driver, job);
        let struck = twin.end_faults();
        let again = again(driver, job);
        let next = match kind {
            Kind::Refreshes => {
                pass_a_life(twin, driver, kind);
                self::again(driver, job)
            }
            Kind::Calls(_) | Kind::SignsIn => Ok(()),
        };
        let holds_good = holds_good(twin, driver, kind, &account);
        Verdict::of(&Seen { struck, calls, usual, jobs: [first, again, next], holds_good })
    }
}

/// Twice if need be: the first call of a client that learns by a 401 is lost.
fn again(driver: &mut Driver, job: &str) -> Heard {
    driver.job(job).or_else(|_| driver.job(job))
}

fn open(twin: &Twin, driver: &mut Driver, way: &Way, profile: &str) -> Value {
    let mut account = twin.reset(profile);
    way.add_to(&mut account);
    driver.open(&account);
    account
}

/// Up to where a fault strikes.
fn prepare(twin: &Twin, driver: &mut Driver, way: &Way, kind: Kind) -> Value {
    let account = open(twin, driver, way, "refreshing");
    if kind == Kind::Refreshes {
        driver.job("redeem").unwrap();
        pass_a_life(twin, driver, kind);
    }
    account
}

fn pass_a_life(twin: &Twin, driver: &mut Driver, kind: Kind) {
    twin.advance(A_LIFE);
    if !matches!(kind, Kind::Calls(_)) {
        driver.later(A_LIFE);
    }
}

fn counted(twin: &Twin, driver: &mut Driver, job: &str) -> (Heard, u64) {
    let before = twin.calls();
    let heard = driver.job(job);
    (heard, twin.calls() - before)
}

/// Whether anything that the client has is good; what it was given, or what it keeps.
fn holds_good(twin: &Twin, driver: &mut Driver, kind: Kind, account: &Value) -> bool {
    if let Kind::Calls(_) = kind {
        let is_basic = account["sign_in"] == "API token";
        let access_token = account["access_token"].as_str().unwrap_or_default();
        return is_basic || twin.takes(&Credential::Bearer(access_token));
    }
    let held = driver.held();
    let of = |name: &str| held[name].as_str().unwrap_or_default().to_owned();
    twin.takes(&Credential::Bearer(&of("access_token")))
        || twin.takes(&Credential::Refresh(&of("refresh_token")))
}
