//! One account in one state: a server of its own over a database in memory, which a reset replaces
//! as a whole. What still answers in the old one goes on in the old one.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokenry_core::{credentials::Key, grant::Token};
use tokenry_server::{
    config::{BaseUrl, Config},
    data_folder::{DataFolder, ServeLock},
    envelope::Envelope,
    environment::{Environment, SystemEntropy},
    jobs,
    state::{AppState, Parts},
    stop_signal::StopSignal,
};
use tokenry_store::sqlite::{Image, SqliteStore, StoreOptions};
use tokio::{sync::watch, task::JoinSet};

use crate::{
    account::Account,
    clock::TwinClock,
    entropy::FixedEntropy,
    error::TwinError,
    kept::{self, Kept, KeptFile},
    known::{Ends, Known, Pair},
    profile::Profile,
    seed::{Seed, plant},
};

/// It seals nothing that is worth anything: whoever reaches a double may have all of it.
const ROOT_KEY: [u8; 32] = *b"a twin of Zendesk guards nothing";

/// The next world's.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// What a world is made of besides its database.
#[derive(Clone)]
pub(crate) struct Ground {
    /// What the server does.
    pub(crate) config: Config,
    /// What the account is said to be in.
    pub(crate) profile: Profile,
    /// The address under which this machine reaches it.
    pub(crate) base: BaseUrl,
    /// Its time.
    pub(crate) clock: TwinClock,
}

/// The account as its seed says, to begin from.
pub(crate) struct Origin {
    /// Everything in it, in the clear.
    pub(crate) account: Account,
    /// The database.
    pub(crate) image: Image,
}

/// A world that serves.
pub(crate) struct World {
    /// No two worlds of a process have one.
    pub(crate) number: u64,
    /// What the server's handlers share.
    pub(crate) state: AppState,
    /// What answers.
    pub(crate) envelope: Envelope,
    /// What the account is said to be in.
    pub(crate) profile: Profile,
    /// What is known of it in the clear.
    pub(crate) known: Arc<Known>,
    /// Where that is kept, if it is.
    kept: Option<Arc<KeptFile>>,
    store: Arc<SqliteStore>,
    stop: watch::Sender<bool>,
    /// They end with the world.
    jobs: Mutex<JoinSet<()>>,
}

/// Where a world's database is.
pub(crate) enum Place {
    /// In memory.
    Memory,
    /// In a folder that no other process serves.
    Folder {
        /// Which.
        folder: DataFolder,
        /// What lies beside the database.
        kept: Arc<KeptFile>,
        /// As long as this is held.
        _lock: ServeLock,
    },
}

impl Place {
    /// Takes the folder, if there is to be one, for the account of this seed or for the one that is
    /// there; with the seed that it is, and what an earlier twin has left.
    pub(crate) fn take(
        folder: Option<&Path>,
        seed: Option<&Seed>,
    ) -> Result<(Self, Seed, Option<Kept>), TwinError> {
        let wanted = || seed.map_or_else(Seed::contract_cast, |seed| Ok(seed.clone()));
        let Some(path) = folder else { return Ok((Self::Memory, wanted()?, None)) };
        let folder = DataFolder::open(path)?;
        let lock = folder.lock()?;
        let left = folder.database().exists().then(|| Kept::read(&folder)).transpose()?;
        let planted = match &left {
            Some(left) if seed.is_none_or(|seed| kept::is_same_seed(seed, &left.seed)) => {
                left.seed.clone()
            }
            Some(_) => return Err(TwinError::OtherSeed(path.to_owned())),
            None => wanted()?,
        };
        let kept = Arc::new(KeptFile::new(folder.clone(), planted.clone()));
        Ok((Self::Folder { folder, kept, _lock: lock }, planted, left))
    }

    /// From now on what lies beside the database is about this world.
    pub(crate) fn follow(&self, known: &Arc<Known>) -> Result<(), TwinError> {
        self.kept().map_or(Ok(()), |kept| kept.follow(known))
    }

    fn kept(&self) -> Option<&Arc<KeptFile>> {
        match self {
            Self::Memory => None,
            Self::Folder { kept, .. } => Some(kept),
        }
    }

    /// A store that holds what the image does, or what is there already when there is none.
    fn open(&self, image: Option<&Image>, known: &Known) -> Result<SqliteStore, TwinError> {
        let store = match (self, image) {
            (Self::Memory, Some(image)) => SqliteStore::in_memory_from(image),
            (Self::Memory, None) => SqliteStore::in_memory(),
            (Self::Folder { folder, kept, .. }, image) => {
                let path = folder.database();
                if let Some(image) = image {
                    kept.announce(known)?;
                    image.write(&path)?;
                }
                SqliteStore::open(path, StoreOptions::default())
            }
        };
        Ok(store?)
    }
}

impl Origin {
    /// Plants a seed, by randomness that starts the same each time.
    pub(crate) async fn plant(seed: &Seed, ground: &Ground) -> Result<Self, TwinError> {
        let store = Arc::new(SqliteStore::in_memory()?);
        let environment = Environment {
            clock: Arc::new(ground.clock.clone()),
            entropy: Arc::new(FixedEntropy::default()),
        };
        let state = state(ground, environment, &store).await?;
        let account = plant(seed, &state).await?;
        let image = store.image().await?;
        Ok(Self { account, image })
    }
}

impl World {
    /// Opens a database and begins to serve it. Whoever lets it serve has the place follow it.
    pub(crate) async fn open(
        ground: &Ground,
        place: &Place,
        image: Option<&Image>,
        known: Arc<Known>,
    ) -> Result<Self, TwinError> {
        let store = Arc::new(place.open(image, &known)?);
        let environment = Environment {
            clock: Arc::new(ground.clock.clone()),
            entropy: Arc::new(SystemEntropy::default()),
        };
        let state = state(ground, environment, &store).await?;
        let (stop, signal) = StopSignal::new();
        let jobs = Mutex::new(jobs::start(&state, None, None, &signal));
        let envelope = Envelope::new(state.clone());
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let (profile, kept) = (ground.profile, place.kept().cloned());
        Ok(Self { number, state, envelope, profile, known, kept, store, stop, jobs })
    }

    /// Keeps the tokens that a record was given just now.
    pub(crate) async fn learn(&self, pair: Pair) {
        let id = pair.id;
        self.known.keep(id, pair.refresh_token.clone());
        if !self.known.has(id) {
            return;
        }
        let found = self.state.verifier.find(id).await;
        let ends = found.ok().flatten().as_ref().and_then(Token::issued).map(|issued| Ends {
            access: issued.access.expires_at(),
            refresh: issued.refresh.as_ref().map(|refresh| refresh.expires_at),
        });
        self.known.renew(pair, ends.unwrap_or_default());
        let Some(kept) = self.kept.clone() else { return };
        let known = Arc::clone(&self.known);
        let saved = tokio::task::spawn_blocking(move || kept.save(&known)).await;
        if let Err(error) = saved.unwrap_or_else(|error| Err(TwinError::Turn(error.to_string()))) {
            tracing::warn!(%error, "the next start will not know the tokens that were given now");
        }
    }

    /// Goes on with what is in the folder.
    pub(crate) async fn take_up(
        ground: &Ground,
        place: &Place,
        left: Kept,
    ) -> Result<Self, TwinError> {
        let mut world = Self::open(ground, place, None, Arc::default()).await?;
        let account = left.account(&world.state).await?;
        world.known = Arc::new(Known::of(account));
        Ok(world)
    }

    /// Everything that was acknowledged until now.
    pub(crate) async fn image(&self) -> Result<Image, TwinError> {
        jobs::flush(&self.state).await?;
        Ok(self.store.image().await?)
    }

    /// Ends what runs beside the calls, and closes the database.
    pub(crate) async fn close(&self) {
        let _ = self.stop.send(true);
        let jobs = std::mem::take(&mut *self.jobs.lock().unwrap_or_else(PoisonError::into_inner));
        jobs.join_all().await;
        if let Err(error) = jobs::flush(&self.state).await {
            tracing::warn!(%error, "the last uses of tokens were not written");
        }
        self.store.close().await;
    }
}

async fn state(
    ground: &Ground,
    environment: Environment,
    store: &Arc<SqliteStore>,
) -> Result<AppState, TwinError> {
    let parts = Parts {
        config: ground.config.clone(),
        base: ground.base.clone(),
        environment,
        store: Arc::clone(store) as _,
        root_key: Key::new(ROOT_KEY),
    };
    Ok(AppState::new(parts).await?)
}
