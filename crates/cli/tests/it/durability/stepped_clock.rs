//! The clock stepped back and forward by hours, while the server runs and over a restart.

use std::collections::HashSet;

use super::{
    Site,
    dice::Dice,
    faults::{Faults, layout::Word},
    rounds, seed,
};
use crate::{
    browser::Browser,
    client::{Client, Tokens, id},
};

const TEST: &str = "stepped_clock";
const STEPS: u64 = 8;
/// Steps lead this far from the true time at most, in hours.
const FAR: u64 = 12;
const HOUR: i64 = 3_600_000;

/// Something that was made when the clock was wrong by so many hours.
struct Made<T>(i64, T);

/// What there is, over all steps.
#[derive(Default)]
struct World {
    ids: HashSet<u64>,
    /// Access tokens that live for half an hour.
    short: Vec<Made<String>>,
    /// Codes that nobody redeems in time; they live for two minutes.
    codes: Vec<Made<String>>,
    /// Codes that were redeemed, with what they gave.
    redeemed: Vec<(String, Tokens)>,
    /// Pairs that were never used, with the refresh token that gave them.
    unused: Vec<(String, Tokens)>,
    /// One grant that is refreshed and used at every step, and when its record says that it was.
    steady: Option<Tokens>,
    used_at: Option<String>,
}

#[test]
fn a_stepped_clock_gives_no_id_twice_loses_no_grant_and_revives_nothing() {
    let site = Site::new();
    let Some(faults) = Faults::new(TEST, site.folder.path()) else { return };
    let mut dice = Dice::new(seed(TEST), 0);
    let mut server = faults.start();
    let mut world = World::default();
    for step in 0..rounds(STEPS) {
        let hours = i64::try_from(dice.roll(2 * FAR + 1)).unwrap() - i64::try_from(FAR).unwrap();
        let is_restarted = dice.roll(2) == 0;
        println!("step {step}: {hours:+} h, restarted: {is_restarted}");
        faults.set(Word::ClockShift, (hours * HOUR).cast_unsigned());
        if is_restarted {
            server.stop();
            server = faults.start();
        }
        let client = Client::new(&server.base);
        world.look_back(&site, &client, hours);
        world.go_on(&site, &client, hours);
    }
    server.stop();
}

impl World {
    /// What was made before is what its own times say, and nothing that ended has come back.
    fn look_back(&mut self, site: &Site, client: &Client, hours: i64) {
        let app = &site.app;
        for Made(made, access) in &self.short {
            let lives = hours <= *made;
            assert_eq!(client.is_alive(access), Some(lives), "made at {made:+} h");
        }
        for Made(made, code) in self.codes.drain(..) {
            let status = if hours <= made { 200 } else { 400 };
            client.redeem(app, &code).unwrap().expect(status);
        }
        for (code, tokens) in self.redeemed.drain(..) {
            client.redeem(app, &code).unwrap().expect(400);
            assert_eq!(client.is_alive(&tokens.access), Some(false), "a replay ends its grant");
            client.record(&site.admin, &tokens.access).unwrap().expect(404);
        }
        for (spent, tokens) in self.unused.drain(..) {
            let again = client.refresh(app, &spent).unwrap().tokens();
            assert_eq!(again, tokens, "a second pair for one refresh token");
            assert_eq!(client.is_alive(&tokens.access), Some(true));
        }
    }

    /// Everything works at this time as well.
    fn go_on(&mut self, site: &Site, client: &Client, hours: i64) {
        let app = &site.app;
        let mut browser = Browser::signed_in(client, &site.admin);
        let mut consent = || browser.consent(client, app).unwrap().unwrap();
        let redeem = |code: &str| client.redeem(app, code).unwrap().tokens();
        let refresh = |tokens: &Tokens| {
            client.refresh(app, tokens.refresh.as_ref().unwrap()).unwrap().tokens()
        };

        let short = client.issue(app).unwrap().tokens().access;
        assert_eq!(client.is_alive(&short), Some(true));
        let (redeemed, unredeemed, unused) = (consent(), consent(), consent());
        let first = redeem(&redeemed);
        let spent = redeem(&unused);
        let pair = refresh(&spent);
        for credential in [&short, &redeemed, &unredeemed, &unused] {
            assert!(self.ids.insert(id(credential)), "an id was given twice: {credential}");
        }
        self.short.push(Made(hours, short));
        self.codes.push(Made(hours, unredeemed));
        self.redeemed.push((redeemed, first));
        self.unused.push((spent.refresh.unwrap(), pair));

        let steady = match self.steady.take() {
            Some(before) => {
                let tokens = refresh(&before);
                assert_eq!(client.is_alive(&before.access), Some(false), "two live tokens");
                tokens
            }
            None => redeem(&consent()),
        };
        assert_eq!(client.is_alive(&steady.access), Some(true));
        let used_at = client.used_at(&site.admin, &steady.access);
        assert!(used_at.is_some());
        assert!(used_at >= self.used_at, "went back: {:?}, {used_at:?}", self.used_at);
        (self.steady, self.used_at) = (Some(steady), used_at);
    }
}
