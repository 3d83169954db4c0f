//! What a twin is: an account, a clock, faults in force, and a journal; and how all of it goes back
//! to an earlier moment at once.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use http::Method;
use tokenry_protocol::{ids::ClientId, time::Timestamp};
use tokenry_server::{
    config::{BaseUrl, Limits},
    environment::Clock as _,
    stop_signal::StopSignal,
};
use tokenry_store::sqlite::Image;
use tokio::sync::Mutex as Turn;

use crate::{
    account::{Account, AccountToken},
    clock::{Setting, TwinClock},
    connect::{self, ApiTokens, ConnectionDetails},
    error::TwinError,
    faults::{Fault, Scenario, Seen, Struck},
    https::Https,
    journal::{self, Journal},
    kept::Kept,
    known::Known,
    options::Options,
    profile::Profile,
    script::Script,
    seed::{self, Authorization, Authorize, IssueToken, Seed},
    world::{Ground, Origin, Place, World},
};

/// More than a suite names. Each holds a copy of the account in memory.
const SNAPSHOTS_MAX: usize = 1_000;
/// Calls that the journal keeps.
const JOURNAL_CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).expect("more than none");
/// A seed whose times are counted from the start is planted anew when that is longer ago, in
/// milliseconds: what lives for some minutes in it must be alive after a reset.
const SEED_FRESH: i64 = 30_000;

/// Everything that a twin's calls and its control share.
pub(crate) struct Double {
    /// How it was started.
    pub(crate) options: Options,
    /// The address under which this machine reaches it.
    pub(crate) base: BaseUrl,
    /// How much of a call is read, and for how long.
    pub(crate) limits: Limits,
    /// How programs get here that call Zendesk's own address.
    pub(crate) https: Option<Https>,
    /// Its time.
    pub(crate) clock: TwinClock,
    seed: Seed,
    place: Place,
    /// The ids of its clients that are everybody's.
    global_clients: Vec<ClientId>,
    /// The seed as it was planted last; `None` while an earlier twin's account serves.
    origin: RwLock<Option<Arc<Planted>>>,
    world: RwLock<Arc<World>>,
    /// Every call.
    pub(crate) journal: Journal,
    script: Mutex<Script>,
    /// That of the command line, which a reset comes back to.
    first_script: Script,
    /// And the profile.
    first_profile: Profile,
    snapshots: Mutex<BTreeMap<String, Arc<Snapshot>>>,
    /// One change of worlds at a time.
    turn: Turn<()>,
    /// What only waits does not keep a twin from ending.
    pub(crate) stop: StopSignal,
}

struct Planted {
    origin: Origin,
    profile: Profile,
    at: Timestamp,
}

/// A moment to come back to.
struct Snapshot {
    image: Image,
    profile: Profile,
    clock: Setting,
    script: Script,
    known: Known,
}

impl Double {
    /// Plants the seed, or takes up what an earlier twin has left in the folder.
    pub(crate) async fn open(
        options: Options,
        base: BaseUrl,
        stop: StopSignal,
    ) -> Result<Self, TwinError> {
        let first_script = Script::of(&options);
        let clock = TwinClock::default();
        if let Some(time) = options.clock {
            clock.set(time);
        }
        let (place, seed, left) = Place::take(options.data.as_deref(), options.seed.as_ref())?;
        let profile = options.first_profile();
        let global_clients = seed.global_client_ids()?;
        let ground = ground(&options, profile, &global_clients, (&base, &clock));
        let (world, planted) = if let Some(left) = left {
            (World::take_up(&ground, &place, left).await?, None)
        } else {
            let planted = Planted::new(&seed, &ground).await?;
            let world = World::open(&ground, &place, Some(&planted.origin.image), planted.known());
            (world.await?, Some(Arc::new(planted)))
        };
        place.follow(&world.known)?;
        // Behind the planting, as at a reset.
        clock.advance(first_script.head_start());
        Ok(Self {
            first_profile: profile,
            global_clients,
            origin: RwLock::new(planted),
            script: Mutex::new(first_script.clone().within(world.number)),
            world: RwLock::new(Arc::new(world)),
            journal: Journal::new(JOURNAL_CAPACITY),
            first_script,
            snapshots: Mutex::default(),
            turn: Turn::default(),
            limits: ground.config.limits,
            stop,
            options,
            base,
            https: None,
            clock,
            seed,
            place,
        })
    }

    /// What answers calls now.
    pub(crate) fn world(&self) -> Arc<World> {
        Arc::clone(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The account that was planted, of each record with the tokens that it was given last.
    pub(crate) fn account(&self) -> Account {
        self.world().known.account()
    }

    /// What one needs to connect, at the address that one sees it by.
    pub(crate) fn connection_details(&self, base_url: &str) -> ConnectionDetails {
        let profile = self.world().profile;
        let place = connect::Place {
            base_url: base_url.to_owned(),
            subdomain: self.options.subdomain.clone(),
            profile: profile.as_str().to_owned(),
            api_tokens: match profile {
                Profile::AfterApiTokens => ApiTokens::Refused,
                _ => ApiTokens::Accepted,
            },
            https: self.https.as_ref().map(|https| https.place(base_url)),
        };
        ConnectionDetails::new(&self.account(), &place)
    }

    /// What goes wrong.
    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another script from now on, in place of the one there is.
    fn begin(&self, script: Script) {
        let mut live = self.script();
        let head_start = script.head_start();
        *live = script.within(live.world);
        self.clock.advance(head_start);
    }

    /// Which faults strike a call. One that began in a world that was left meanwhile belongs to
    /// nobody's test any more: none does.
    pub(crate) fn decide(
        &self,
        world: &World,
        in_header: Vec<Fault>,
        seen: &Seen<'_>,
    ) -> Vec<Struck> {
        let mut script = self.script();
        if script.world == world.number { script.decide(in_header, seen) } else { Vec::new() }
    }

    /// A call is over. The journal is told, and the clock turned if the script says so, unless the
    /// world that it began in was left meanwhile.
    pub(crate) fn end_call(&self, world: &World, call: &journal::Call<'_>) {
        let mut script = self.script();
        if script.world != world.number {
            return;
        }
        self.journal.push(call);
        if call.method != Method::OPTIONS.as_str() {
            let advance = script.end_call();
            self.clock.advance(advance);
        }
    }

    /// Everything as it was at the start, or in another profile: the account as its seed says, the
    /// clock, and the faults that the command line named.
    pub(crate) async fn reset(self: &Arc<Self>, profile: Option<Profile>) -> Result<(), TwinError> {
        let (double, script) = (Arc::clone(self), self.first_script.clone());
        to_its_end(async move { double.start_over(profile, script).await }).await
    }

    /// Begins a scenario: in the profile that it names with everything as it was at the start, and
    /// without one where things are.
    pub(crate) async fn play(self: &Arc<Self>, scenario: &Scenario) -> Result<(), TwinError> {
        let script = Script::new(Some(scenario), &[], self.options.fault_seed);
        let Some(profile) = scenario.profile else {
            self.begin(script);
            return Ok(());
        };
        let double = Arc::clone(self);
        to_its_end(async move { double.start_over(Some(profile), script).await }).await
    }

    /// Makes a record as if its client had asked for it, so that it can be rotated as well.
    pub(crate) async fn issue(
        &self,
        asked: &IssueToken,
        base: &BaseUrl,
    ) -> Result<AccountToken, TwinError> {
        let world = self.world();
        let issued = seed::issue(asked, &world.state, base).await?;
        if let Some(refresh_token) = issued.refresh_token.clone() {
            world.known.keep(issued.id, refresh_token);
        }
        Ok(issued)
    }

    /// Consents in a user's place.
    pub(crate) async fn authorize(
        &self,
        asked: &Authorize,
        base: &BaseUrl,
    ) -> Result<Authorization, TwinError> {
        seed::authorize(asked, &self.world().state, base).await
    }

    async fn start_over(&self, profile: Option<Profile>, script: Script) -> Result<(), TwinError> {
        let _turn = self.turn.lock().await;
        let profile = profile.unwrap_or(self.first_profile);
        let ground = self.ground(profile);
        // What is planted now is as old as the clock will be.
        let clock = self.first_clock();
        let fits = |planted: &Arc<Planted>| {
            planted.profile == profile && planted.is_fresh(self.clock.shown_by(clock))
        };
        let planted = if let Some(planted) = self.planted().filter(fits) {
            planted
        } else {
            self.clock.restore(clock);
            let planted = Arc::new(Planted::new(&self.seed, &ground).await?);
            let mut origin = self.origin.write().unwrap_or_else(PoisonError::into_inner);
            *origin = Some(Arc::clone(&planted));
            planted
        };
        let turn = (clock, script.with_head_start());
        self.enter(&ground, &planted.origin.image, planted.known(), turn).await
    }

    fn first_clock(&self) -> Setting {
        match self.options.clock {
            Some(time) => self.clock.running_from(time),
            None => Setting::Running(0),
        }
    }

    /// Keeps this moment under a name. What had the name before is gone.
    pub(crate) async fn snapshot(&self, name: &str) -> Result<(), TwinError> {
        let _turn = self.turn.lock().await;
        let world = self.world();
        let snapshot = Snapshot {
            image: world.image().await?,
            profile: world.profile,
            clock: self.clock.setting(),
            script: self.script().clone(),
            known: world.known.copy(),
        };
        let mut snapshots = self.snapshots();
        if snapshots.len() >= SNAPSHOTS_MAX && !snapshots.contains_key(name) {
            return Err(TwinError::TooManySnapshots(SNAPSHOTS_MAX));
        }
        snapshots.insert(name.to_owned(), Arc::new(snapshot));
        Ok(())
    }

    /// Goes back to a moment. It can be gone back to again.
    pub(crate) async fn restore(self: &Arc<Self>, name: &str) -> Result<(), TwinError> {
        let snapshot = self.snapshots().get(name).map(Arc::clone);
        let snapshot = snapshot.ok_or_else(|| TwinError::NoSnapshot(name.to_owned()))?;
        let double = Arc::clone(self);
        to_its_end(async move {
            let _turn = double.turn.lock().await;
            let ground = double.ground(snapshot.profile);
            let script = (snapshot.script.clone(), Duration::ZERO);
            let known = Arc::new(snapshot.known.copy());
            double.enter(&ground, &snapshot.image, known, (snapshot.clock, script)).await
        })
        .await
    }

    /// Forgets a moment.
    pub(crate) fn forget(&self, name: &str) -> Result<(), TwinError> {
        let forgotten = self.snapshots().remove(name);
        forgotten.map(drop).ok_or_else(|| TwinError::NoSnapshot(name.to_owned()))
    }

    /// The names of the moments that are kept.
    pub(crate) fn snapshot_names(&self) -> Vec<String> {
        self.snapshots().keys().cloned().collect()
    }

    /// Writes what was noted and closes the database.
    pub(crate) async fn close(&self) {
        let _turn = self.turn.lock().await;
        self.world().close().await;
    }

    /// Puts another world in place of the one there is. Calls see all of the old one or all of the
    /// new one.
    async fn enter(
        &self,
        ground: &Ground,
        image: &Image,
        known: Arc<Known>,
        (clock, (script, head_start)): (Setting, (Script, Duration)),
    ) -> Result<(), TwinError> {
        let world = Arc::new(self.open_world(ground, image, known).await?);
        let left = {
            let mut live = self.script();
            self.clock.restore(clock);
            self.clock.advance(head_start);
            *live = script.within(world.number);
            self.journal.clear();
            let mut serving = self.world.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *serving, world)
        };
        // Not under the locks: the last who leaves a world ends its threads.
        drop(left);
        Ok(())
    }

    async fn open_world(
        &self,
        ground: &Ground,
        image: &Image,
        known: Arc<Known>,
    ) -> Result<World, TwinError> {
        let before = self.world();
        if matches!(self.place, Place::Memory) {
            return World::open(ground, &self.place, Some(image), known).await;
        }
        // One file holds one world at a time.
        before.close().await;
        match World::open(ground, &self.place, Some(image), Arc::clone(&known)).await {
            Ok(world) => {
                self.follow(&world);
                Ok(world)
            }
            Err(error) => {
                // Whatever is there is better than a twin that answers nothing.
                let ground = self.ground(before.profile);
                let left = Kept::between(&self.seed, known.account(), before.known.account());
                let again = World::take_up(&ground, &self.place, left).await?;
                self.follow(&again);
                let again = Arc::new(again);
                self.script().world = again.number;
                *self.world.write().unwrap_or_else(PoisonError::into_inner) = again;
                Err(error)
            }
        }
    }

    /// What lies beside the database says as much as it takes already; this says it in fewer words.
    fn follow(&self, world: &World) {
        if let Err(error) = self.place.follow(&world.known) {
            tracing::warn!(%error, "the account was not written");
        }
    }

    fn ground(&self, profile: Profile) -> Ground {
        ground(&self.options, profile, &self.global_clients, (&self.base, &self.clock))
    }

    fn planted(&self) -> Option<Arc<Planted>> {
        self.origin.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn snapshots(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Snapshot>>> {
        self.snapshots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Planted {
    async fn new(seed: &Seed, ground: &Ground) -> Result<Self, TwinError> {
        let at = ground.clock.now();
        Ok(Self { origin: Origin::plant(seed, ground).await?, profile: ground.profile, at })
    }

    fn known(&self) -> Arc<Known> {
        Arc::new(Known::of(self.origin.account.clone()))
    }

    fn is_fresh(&self, now: Timestamp) -> bool {
        (0..SEED_FRESH).contains(&now.millis_since(self.at))
    }
}

fn ground(
    options: &Options,
    profile: Profile,
    global_clients: &[ClientId],
    (base, clock): (&BaseUrl, &TwinClock),
) -> Ground {
    let mut config = options.config(profile);
    config.record_api.global_clients = global_clients.to_vec();
    Ground { config, profile, base: base.clone(), clock: clock.clone() }
}

/// A turn goes on when whoever asked for it has hung up: half of one would be no world at all.
async fn to_its_end(
    turn: impl Future<Output = Result<(), TwinError>> + Send + 'static,
) -> Result<(), TwinError> {
    tokio::spawn(turn).await.unwrap_or_else(|error| Err(TwinError::Turn(error.to_string())))
}
