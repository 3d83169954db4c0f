//! "No honest client is ever logged out": a fleet of careful clients over a bad network.
//!
//! Time goes in ticks. In each, everybody whose turn it is acts at once, in tasks of their own,
//! while the clock stands still; between two ticks the server may be restarted, or crash, or a day
//! goes by in which everybody sleeps. So all is decided by the seed, except who of several requests
//! at once comes first.
//!
//! Three rules are checked with every answer, and at the end the oracle ([`ledger`]) is compared
//! with the database:
//!
//! 1. No honest client is ever refused: no forced sign-in.
//! 2. Of all the access tokens that a grant was ever given, at most one lives, and it is the right
//!    one.
//! 3. Every true replay ends its grant and leaves its event, whatever the age of the token. One is
//!    excepted: when a crash has lost a use of the last second, the thief is caught at the next
//!    step of the chain.
//!
//! A careful client sends a refresh token again only while it waits for an answer, or from a second
//! tab within the window that began when it was first sent, or half a window after the answer.

mod audit;
mod ledger;
mod member;
mod network;
mod span;
mod tally;
mod thief;

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, Result, bail, ensure};
use tokenry_protocol::redirect_uri::ClientKind;
use tokenry_server::{
    config::Config,
    jobs::{self, Purge},
};
use tokio::task::JoinSet;

use self::member::{Member, Tick};
pub use self::{audit::Audit, tally::Tally};
use crate::{
    environment::Dice,
    progress::Progress,
    server::{Server, Site, settled},
};

/// Registered clients, half of them public; the fleet shares them.
const REGISTERED: usize = 16;
/// The dice of the run itself; members are numbered from 0.
const HOUSE: u64 = u64::MAX;
/// Of a thousand ticks, after how many the server is restarted; every other time it crashes.
const RESTARTS: u64 = 10;
/// Of a thousand ticks, after how many everybody sleeps for a day.
const NIGHTS: u64 = 8;
const DAY: i64 = 86_400_000;

/// How large a fleet, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Refreshes to be heard and stored before it ends.
    pub refreshes: u64,
    /// Clients at the same time.
    pub clients: u64,
    /// What decides everything.
    pub seed: u64,
}

/// How it went.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// What happened to the clients.
    pub tally: Tally,
    /// Ticks.
    pub ticks: u64,
    /// Stops in order.
    pub stops: u64,
    /// Crashes.
    pub crashes: u64,
    /// Days slept through.
    pub nights: u64,
    /// The records compared at the end.
    pub audit: Audit,
}

struct Fleet {
    site: Site,
    server: Arc<Server>,
    house: Dice,
    /// A member is away while it acts.
    members: Vec<Member>,
    tick: u64,
    /// Uses up to this tick are in the database.
    written: u64,
    /// When uses were last written, in milliseconds.
    flushed_at: i64,
    outcome: Outcome,
}

/// Runs it in this folder, which must be empty. An error is a broken rule, or a failed machine.
pub async fn run(plan: Plan, folder: &Path) -> Result<Outcome> {
    let mut fleet = Fleet::gather(plan, folder).await?;
    let mut progress = Progress::new("fleet", "refreshes", plan.refreshes);
    let broken = |tick| {
        format!("seed {}, {} clients, tick {tick}: a rule is broken", plan.seed, plan.clients)
    };
    while fleet.outcome.tally.refreshes < plan.refreshes {
        fleet.go_on().await.with_context(|| broken(fleet.tick))?;
        progress.reached(fleet.outcome.tally.refreshes);
    }
    let number = fleet.tick;
    fleet.close().await.with_context(|| broken(number))
}

impl Fleet {
    async fn gather(plan: Plan, folder: &Path) -> Result<Self> {
        let site = Site::new(folder, plan.seed, Config::default())?;
        let server = site.start().await?;
        let owner = server.register_user().await?;
        let mut clients = Vec::new();
        for number in 0..REGISTERED {
            let kind = match number % 2 {
                0 => ClientKind::Confidential,
                _ => ClientKind::Public,
            };
            clients.push(server.register_client(owner, kind).await?);
        }
        let mut members = Vec::new();
        for (number, client) in (0..plan.clients).zip(clients.iter().cycle()) {
            let user = server.register_user().await?;
            let dice = Dice::new(plan.seed, number);
            members.push(Member::new(Arc::clone(client), user, dice, site.now()));
        }
        let outcome = Outcome {
            tally: Tally::default(),
            ticks: 0,
            stops: 0,
            crashes: 0,
            nights: 0,
            audit: Audit::default(),
        };
        Ok(Self {
            flushed_at: site.now().as_millis(),
            site,
            server: Arc::new(server),
            house: Dice::new(plan.seed, HOUSE),
            members,
            tick: 0,
            written: 0,
            outcome,
        })
    }

    async fn go_on(&mut self) -> Result<()> {
        self.tick += 1;
        self.outcome.ticks += 1;
        let length = i64::try_from(self.house.between(200, 2_000))?;
        self.site.clock.advance_millis(length);
        self.everybody_acts().await?;
        if self.house.happens(RESTARTS) {
            self.restart().await?;
        } else {
            settled().await?;
        }
        if self.house.happens(NIGHTS) {
            self.sleep().await?;
        }
        Ok(())
    }

    /// All whose turn it is, at once, and beside them the server's own work once a second.
    async fn everybody_acts(&mut self) -> Result<()> {
        let now = self.site.now();
        let server = Arc::clone(&self.server);
        let tick = Arc::new(Tick { number: self.tick, now, server });
        let (due, waiting) =
            std::mem::take(&mut self.members).into_iter().partition(|one| one.wakes_at <= now);
        self.members = waiting;
        let due: Vec<Member> = due;
        let mut acting = JoinSet::new();
        for mut member in due {
            let tick = Arc::clone(&tick);
            acting.spawn(async move {
                let done = member.step(&tick).await;
                (member, done)
            });
        }
        // As its job does: a second after the last time, whoever is being served.
        let is_time = now.as_millis() - self.flushed_at >= 1_000;
        if is_time {
            jobs::flush(&self.server.state).await?;
        }
        let mut broken = Vec::new();
        while let Some(acted) = acting.join_next().await {
            let (mut member, done) = acted?;
            self.outcome.tally.add(&std::mem::take(&mut member.tally));
            if let Err(error) = done {
                broken.push(format!("{}: {error:#}", member.client.identifier));
            }
            self.members.push(member);
        }
        if is_time {
            self.flushed_at = now.as_millis();
            self.wrote_uses_through(self.tick - 1);
        }
        if broken.is_empty() { Ok(()) } else { bail!("{}", broken.join("\n")) }
    }

    fn wrote_uses_through(&mut self, tick: u64) {
        self.written = tick;
        for member in &mut self.members {
            if let Some(held) = &mut member.held {
                held.ledger.written(tick);
            }
        }
    }

    /// A stop in order, or a crash with requests under way that nobody waits for.
    async fn restart(&mut self) -> Result<()> {
        let is_crash = self.house.happens(500);
        if !is_crash {
            settled().await?;
            jobs::flush(&self.server.state).await?;
            self.wrote_uses_through(self.tick);
            self.outcome.stops += 1;
        }
        self.server.close().await;
        settled().await?;
        if is_crash {
            self.outcome.crashes += 1;
            for member in &mut self.members {
                if let Some(held) = &mut member.held {
                    held.ledger.crashed(self.written);
                }
            }
        }
        self.server = Arc::new(self.site.start().await?);
        Ok(())
    }

    /// A day goes by, and the purge looks at everything before the morning.
    async fn sleep(&mut self) -> Result<()> {
        self.outcome.nights += 1;
        let length = i64::try_from(self.house.between(0, 7_200_000))?;
        self.site.clock.advance_millis(DAY + length);
        let removed = Purge::default().sweep(&self.server.state).await?;
        ensure!(removed == 0, "the purge removed {removed} rows although every grant lives");
        Ok(())
    }

    async fn close(mut self) -> Result<Outcome> {
        settled().await?;
        jobs::flush(&self.server.state).await?;
        self.wrote_uses_through(self.tick);
        self.server.close().await;
        settled().await?;
        let server = Arc::new(self.site.start().await?);
        let tick = Tick { number: self.tick, now: self.site.now(), server };
        self.outcome.audit = audit::audit(&self.members, &tick).await?;
        tick.server.close().await;
        Ok(self.outcome)
    }
}
