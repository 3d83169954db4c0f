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
//!    excepted: when a crash has lost a use of the last second, or another node has not written it
//!    yet, the thief is caught at the next step of the chain.
//!
//! On several nodes each call goes to another one, restarts and crashes are those of one node, and
//! the rules are the same. Nodes look at the news of the others at the end of each tick; a node
//! that is to say that a token is dead which died in this very tick has had a look before, as its
//! job does fifty times a second. With strict consistency no look is needed.
//!
//! A careful client sends a refresh token again only while it waits for an answer, or from a second
//! tab within the window that began when it was first sent, or half a window after the answer.

mod audit;
mod ledger;
mod member;
mod network;
mod nodes;
mod span;
mod tally;
mod thief;

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use tokenry_protocol::redirect_uri::ClientKind;
use tokenry_server::{
    config::{Config, Consistency},
    jobs::Purge,
};
use tokenry_store::postgres::PostgresAddress;
use tokio::task::JoinSet;

pub use self::{audit::Audit, tally::Tally};
use self::{
    member::{Member, Tick},
    nodes::Nodes,
};
use crate::{environment::Dice, progress::Progress, server::Site};

/// Registered clients, half of them public; the fleet shares them.
const REGISTERED: usize = 16;
/// The dice of the run itself; members are numbered from 0.
const HOUSE: u64 = u64::MAX;
/// Of a thousand ticks, after how many the server is restarted; every other time it crashes.
const RESTARTS: u64 = 10;
/// Of a thousand ticks, after how many everybody sleeps for a day.
const NIGHTS: u64 = 8;
const DAY: i64 = 86_400_000;
/// The longest that can be configured.
const STALENESS_MAX: Duration = Duration::from_secs(60);

/// How large a fleet, and for how long.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Refreshes to be heard and stored before it ends.
    pub refreshes: u64,
    /// Clients at the same time.
    pub clients: u64,
    /// What decides everything.
    pub seed: u64,
    /// Where there are several servers.
    pub cluster: Option<Cluster>,
}

/// Several nodes on one database.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// How many.
    pub nodes: usize,
    /// The database, with nothing in it.
    pub store: PostgresAddress,
    /// What their checks of tokens rely on.
    pub consistency: Consistency,
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
    nodes: Arc<Nodes>,
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
    let mut fleet = Fleet::gather(&plan, folder).await?;
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

fn configuration(plan: &Plan) -> Config {
    let mut config = Config::default();
    if let Some(cluster) = &plan.cluster {
        config.store = Some(cluster.store.clone());
        config.consistency = cluster.consistency;
        // Nodes hear the news when the run has them look, however long that takes in real time.
        config.cluster.staleness_max = STALENESS_MAX;
    }
    config
}

impl Fleet {
    async fn gather(plan: &Plan, folder: &Path) -> Result<Self> {
        let count = plan.cluster.as_ref().map_or(1, |cluster| cluster.nodes);
        let site = Site::new(folder, plan.seed, configuration(plan))?;
        let nodes = Nodes::start(&site, count).await?;
        let server = nodes.any()?;
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
            nodes: Arc::new(nodes),
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
            self.nodes.settled().await?;
        }
        self.nodes.catch_up().await?;
        if self.house.happens(NIGHTS) {
            self.sleep().await?;
        }
        Ok(())
    }

    /// All whose turn it is, at once, and beside them the server's own work once a second.
    async fn everybody_acts(&mut self) -> Result<()> {
        let now = self.site.now();
        let nodes = Arc::clone(&self.nodes);
        let tick = Arc::new(Tick { number: self.tick, now, nodes });
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
            self.nodes.flush().await?;
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
            self.nodes.settled().await?;
            self.nodes.flush().await?;
            self.wrote_uses_through(self.tick);
            self.outcome.stops += 1;
        }
        let count = self.nodes.all().len();
        let place = usize::try_from(self.house.between(0, u64::try_from(count)? - 1))?;
        let nodes = Arc::get_mut(&mut self.nodes).context("somebody still asks a node")?;
        nodes.restart(&self.site, place).await?;
        if is_crash {
            self.outcome.crashes += 1;
            for member in &mut self.members {
                if let Some(held) = &mut member.held {
                    held.ledger.crashed(self.written);
                }
            }
        }
        Ok(())
    }

    /// A day goes by, and the purge looks at everything before the morning.
    async fn sleep(&mut self) -> Result<()> {
        self.outcome.nights += 1;
        let length = i64::try_from(self.house.between(0, 7_200_000))?;
        self.site.clock.advance_millis(DAY + length);
        let removed = Purge::default().sweep(&self.nodes.any()?.state).await?;
        ensure!(removed == 0, "the purge removed {removed} rows although every grant lives");
        Ok(())
    }

    async fn close(mut self) -> Result<Outcome> {
        self.nodes.settled().await?;
        self.nodes.flush().await?;
        self.wrote_uses_through(self.tick);
        self.nodes.close().await?;
        let nodes = Arc::new(Nodes::start(&self.site, 1).await?);
        let tick = Tick { number: self.tick, now: self.site.now(), nodes };
        self.outcome.audit = audit::audit(&self.members, &tick).await?;
        tick.nodes.close().await?;
        Ok(self.outcome)
    }
}
