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
    profile::{Profile, Secrets, SignIn},
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

impl Content {
    fn secrets(&self, name: &str) -> anyhow::Result<Secrets> {
        let profile = self.profiles.get(name).ok_or_else(|| unknown(name))?;
        let secrets = if profile.keyring {
            keyring::look_up(name)?
        } else {
            self.credentials.get(name).cloned()
        };
        Ok(secrets.unwrap_or_default())
    }
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
        self.content.secrets(name)
    }

    /// Fails when there is no keyring that could keep the secrets of a profile.
    pub(crate) fn try_keyring(name: &str) -> anyhow::Result<()> {
        keyring::look_up(name).map(drop)
    }

    /// Keeps a profile with its secrets, and uses it from now on. A renewal under way ends before.
    pub(crate) fn keep(
        &mut self,
        name: &str,
        profile: &Profile,
        secrets: &Secrets,
    ) -> anyhow::Result<()> {
        let _renewal = self.renewal_turn()?;
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

    /// Keeps tokens of a profile that were refreshed, in place of those before: only where these
    /// are still there, and nobody has signed in anew or out meanwhile.
    pub(super) fn renew(
        &mut self,
        name: &str,
        before: Option<&StoredTokens>,
        tokens: StoredTokens,
    ) -> anyhow::Result<()> {
        self.change(|content| {
            let profile = content.profiles.get(name).ok_or_else(|| unknown(name))?;
            let is_browser = profile.sign_in == SignIn::Browser;
            if !is_browser || content.secrets(name)?.tokens.as_ref() != before {
                let text = "another sign-in has taken the place of the one whose tokens were \
                            renewed";
                return Err(Failure::new(Exit::Failed, text).hint("run it again").into());
            }
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

    /// Forgets a profile and its secrets. A renewal under way ends before.
    pub(crate) fn forget(&mut self, name: &str) -> anyhow::Result<()> {
        let _renewal = self.renewal_turn()?;
        self.change(|content| {
            let profile = content.profiles.remove(name).ok_or_else(|| unknown(name))?;
            content.credentials.remove(name);
            if content.current.as_deref() == Some(name) {
                content.current = None;
            }
            if profile.keyring { keyring::forget(name) } else { Ok(()) }
        })
    }

    /// The right to renew tokens, until it is dropped.
    pub(super) fn renewal_turn(&self) -> anyhow::Result<File> {
        turn(&self.path, "renewal.lock")
    }

    /// Changes the file as it is now: another process may have changed it meanwhile, and has its
    /// turn.
    fn change(
        &mut self,
        change: impl FnOnce(&mut Content) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
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

/// The right to change the file, or something of it, until it is dropped.
fn turn(path: &Path, what: &str) -> anyhow::Result<File> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| folder.display().to_string())?;
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

#[cfg(test)]
mod tests {
    use tokenry_client::models::SecretText;

    use super::*;

    fn tokens(access_token: &str) -> StoredTokens {
        let json = serde_json::json!({
            "server": "https://auth.example.com",
            "client_id": "tokenry-cli",
            "access_token": access_token,
            "obtained_at": "2026-11-28T12:00:00Z",
        });
        serde_json::from_value(json).unwrap()
    }

    fn kept(profiles: &mut Profiles, sign_in: SignIn, secrets: &Secrets) {
        let profile = Profile {
            server: "https://auth.example.com".to_owned(),
            sign_in,
            user: None,
            client_id: None,
            keyring: false,
        };
        profiles.keep("web", &profile, secrets).unwrap();
    }

    fn browser(access_token: &str) -> Secrets {
        Secrets { tokens: Some(tokens(access_token)), ..Secrets::default() }
    }

    #[test]
    fn a_renewal_takes_the_place_of_nothing_but_the_tokens_that_were_renewed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokenry/profiles.toml");
        let mut profiles = Profiles { path, content: Content::default() };
        kept(&mut profiles, SignIn::Browser, &browser("first"));
        profiles.renew("web", Some(&tokens("first")), tokens("renewed")).unwrap();
        assert_eq!(profiles.secrets("web").unwrap(), browser("renewed"));

        kept(&mut profiles, SignIn::Browser, &browser("signed in anew"));
        profiles.renew("web", Some(&tokens("renewed")), tokens("late")).unwrap_err();
        assert_eq!(profiles.secrets("web").unwrap(), browser("signed in anew"));

        let by_api_token = Secrets { api_token: Some(SecretText::new("p")), ..Secrets::default() };
        kept(&mut profiles, SignIn::ApiToken, &by_api_token);
        profiles.renew("web", None, tokens("late")).unwrap_err();
        assert_eq!(profiles.secrets("web").unwrap(), by_api_token);

        profiles.forget("web").unwrap();
        profiles.renew("web", Some(&tokens("renewed")), tokens("late")).unwrap_err();
        assert_eq!(profiles.all().count(), 0);
    }

    #[test]
    fn a_sign_in_waits_for_the_renewal_under_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profiles.toml");
        let mut profiles = Profiles { path: path.clone(), content: Content::default() };
        kept(&mut profiles, SignIn::Browser, &browser("first"));
        let renewal = profiles.renewal_turn().unwrap();
        std::thread::scope(|scope| {
            let signing_in = scope.spawn(|| {
                let mut profiles = Profiles { path, content: Content::default() };
                kept(&mut profiles, SignIn::Browser, &browser("signed in anew"));
            });
            profiles.renew("web", Some(&tokens("first")), tokens("renewed")).unwrap();
            drop(renewal);
            signing_in.join().unwrap();
        });
        let found = read(&profiles.path).unwrap().secrets("web").unwrap();
        assert_eq!(found, browser("signed in anew"));
    }
}
