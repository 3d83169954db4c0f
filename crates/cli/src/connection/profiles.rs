//! The file of profiles. It holds secrets, so that nobody but its owner may read it.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use tokenry_client::{Server, StoredTokens};

use super::{
    args::parse_server,
    environment, keyring,
    profile::{Profile, Secrets},
};
use crate::{exit_code::Exit, failure::Failure, output};

const OWNER_ONLY: u32 = 0o600;

/// Every profile, as the file had them.
pub(crate) struct Profiles {
    path: PathBuf,
    content: Content,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Content {
    /// The profile in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<String>,
    profiles: BTreeMap<String, Profile>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    credentials: BTreeMap<String, Secrets>,
}

impl Profiles {
    /// Reads the file; where there is none, nobody is signed in.
    pub(crate) fn open() -> anyhow::Result<Self> {
        let path = path()?;
        let content = read(&path)?;
        Ok(Self { path, content })
    }

    /// Where the file is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The name of the profile in use.
    pub(crate) fn current(&self) -> Option<&str> {
        self.content.current.as_deref()
    }

    /// Every profile by its name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Profile)> {
        self.content.profiles.iter().map(|(name, profile)| (name.as_str(), profile))
    }

    /// The profile of this name.
    pub(crate) fn get(&self, name: &str) -> anyhow::Result<&Profile> {
        self.content.profiles.get(name).ok_or_else(|| unknown(name))
    }

    /// The profile that is signed in at this server, the one in use before others.
    pub(crate) fn at(&self, server: &Server) -> Option<&str> {
        let is_there =
            |profile: &Profile| parse_server(&profile.server).is_ok_and(|found| found == *server);
        let current = self.current().filter(|name| self.get(name).is_ok_and(is_there));
        current.or_else(|| self.all().find(|(_, profile)| is_there(profile)).map(|(name, _)| name))
    }

    /// The secrets of a profile.
    pub(crate) fn secrets(&self, name: &str) -> anyhow::Result<Secrets> {
        let secrets = if self.get(name)?.keyring {
            keyring::look_up(name)?
        } else {
            self.content.credentials.get(name).cloned()
        };
        Ok(secrets.unwrap_or_default())
    }

    /// Fails when there is no keyring that could keep the secrets of a profile.
    pub(crate) fn try_keyring(name: &str) -> anyhow::Result<()> {
        keyring::look_up(name).map(drop)
    }

    /// Keeps a profile with its secrets, and uses it from now on.
    pub(crate) fn keep(
        &mut self,
        name: &str,
        profile: &Profile,
        secrets: &Secrets,
    ) -> anyhow::Result<()> {
        self.change(|content| {
            let before = content.profiles.insert(name.to_owned(), profile.clone());
            if before.is_some_and(|before| before.keyring) && !profile.keyring {
                keyring::forget(name)?;
            }
            content.current = Some(name.to_owned());
            content.credentials.remove(name);
            if profile.keyring {
                keyring::store(name, secrets)?;
            } else {
                content.credentials.insert(name.to_owned(), secrets.clone());
            }
            Ok(())
        })
    }

    /// Keeps new tokens of a profile, in place of those before.
    pub(super) fn renew(&mut self, name: &str, tokens: StoredTokens) -> anyhow::Result<()> {
        self.change(|content| {
            let profile = content.profiles.get(name).ok_or_else(|| unknown(name))?;
            let secrets = Secrets { tokens: Some(tokens), ..Secrets::default() };
            if profile.keyring {
                return keyring::store(name, &secrets);
            }
            content.credentials.insert(name.to_owned(), secrets);
            Ok(())
        })
    }

    /// Uses this profile from now on.
    pub(crate) fn select(&mut self, name: &str) -> anyhow::Result<()> {
        self.change(|content| {
            if !content.profiles.contains_key(name) {
                return Err(unknown(name));
            }
            content.current = Some(name.to_owned());
            Ok(())
        })
    }

    /// Forgets a profile and its secrets.
    pub(crate) fn forget(&mut self, name: &str) -> anyhow::Result<()> {
        self.change(|content| {
            let profile = content.profiles.remove(name).ok_or_else(|| unknown(name))?;
            content.credentials.remove(name);
            if content.current.as_deref() == Some(name) {
                content.current = None;
            }
            if profile.keyring { keyring::forget(name) } else { Ok(()) }
        })
    }

    /// Changes the file as it is now: another process may have changed it meanwhile, and has its
    /// turn.
    fn change(
        &mut self,
        change: impl FnOnce(&mut Content) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.with_context(|| folder.display().to_string())?;
        let _turn = turn(&self.path, "lock")?;
        let mut content = read(&self.path)?;
        change(&mut content)?;
        write(&self.path, &content).with_context(|| self.path.display().to_string())?;
        self.content = content;
        Ok(())
    }
}

/// A name for the profile of a server: the account's at Zendesk, else the host with its port.
pub(crate) fn name_for(server: &Server) -> String {
    let address = server.as_str();
    let name = address.split_once("://").map_or(address, |(_, rest)| rest);
    name.strip_suffix(".zendesk.com").unwrap_or(name).to_owned()
}

fn unknown(name: &str) -> anyhow::Error {
    let text = format!("there is no profile {}", output::escaped(name));
    Failure::new(Exit::NotFound, text).hint("`tokenry profile list` shows which there are").into()
}

/// `$XDG_CONFIG_HOME/tokenry/profiles.toml`, unless the environment says otherwise.
fn path() -> anyhow::Result<PathBuf> {
    if let Some(path) = environment::variable(environment::CONFIG) {
        return Ok(path.into());
    }
    let folder = environment::variable("XDG_CONFIG_HOME").map(PathBuf::from);
    // A relative one is to be ignored, the XDG Base Directory Specification says.
    let folder = folder.filter(|folder| folder.is_absolute());
    let home = || environment::variable("HOME").map(|home| Path::new(&home).join(".config"));
    let folder = folder.or_else(home).ok_or_else(|| {
        let text = "there is no place for profiles: neither HOME nor XDG_CONFIG_HOME is set";
        Failure::new(Exit::Usage, text).hint("name a file with TOKENRY_CLIENT_CONFIG")
    })?;
    Ok(folder.join("tokenry/profiles.toml"))
}

fn read(path: &Path) -> anyhow::Result<Content> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Content::default()),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    // Of what was opened and not of what may be there meanwhile.
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o077 != 0 {
        let text = format!("{} holds secrets, and others may read or write it", path.display());
        let hint = format!("chmod 600 {}", path.display());
        return Err(Failure::new(Exit::Usage, text).hint(hint).into());
    }
    let text = io::read_to_string(file).with_context(|| path.display().to_string())?;
    toml::from_str(&text).map_err(|error| unreadable(path, &text, &error))
}

/// Where the file is wrong. The parser's own words would show the line, which may be a secret.
fn unreadable(path: &Path, text: &str, error: &toml::de::Error) -> anyhow::Error {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map(|before| before.matches('\n').count() + 1);
    let place = line.map(|line| format!(", line {line}")).unwrap_or_default();
    let text = format!("{}{place} is not as `tokenry login` writes it", path.display());
    let hint = "mend the line, or move the file away and sign in again";
    Failure::new(Exit::Usage, text).hint(hint).into()
}

/// The right to renew tokens, until it is dropped.
pub(super) fn renewal_turn() -> anyhow::Result<File> {
    turn(&path()?, "renewal.lock")
}

/// The right to change the file, or something of it, until it is dropped.
fn turn(path: &Path, what: &str) -> anyhow::Result<File> {
    let path = path.with_extension(what);
    let mut options = OpenOptions::new();
    let opened = options.create(true).truncate(false).write(true).mode(OWNER_ONLY).open(&path);
    let lock = opened.and_then(|file| file.lock().map(|()| file));
    lock.with_context(|| path.display().to_string())
}

/// All of it or nothing, for its owner only.
fn write(path: &Path, content: &Content) -> anyhow::Result<()> {
    // Whoever keeps the file elsewhere and links to it goes on doing so.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(OWNER_ONLY))
        .tempfile_in(folder)?;
    file.write_all(toml::to_string(content)?.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(File::open(folder)?.sync_all()?)
}
