//! Why a twin does not start or go on.

use std::{net::SocketAddr, path::PathBuf};

use tokenry_server::{data_folder::DataFolderError, node::NodeError, state::StartError};
use tokenry_store::StoreError;

use crate::seed::SeedError;

/// Why a twin does not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum TwinError {
    /// Others could reach it.
    #[error(
        "{0} is an address that others can reach, and a double guards nothing: whoever reaches it \
         has every credential in it. Listen on 127.0.0.1, or say that it is meant (--allow-remote)"
    )]
    Remote(SocketAddr),
    /// An address that is taken, or none.
    #[error(transparent)]
    Listen(#[from] NodeError),
    /// The account's name.
    #[error(
        "{0:?} is no name of an account: use 1 to 63 of a-z, 0-9 and hyphens, with none at either \
         end"
    )]
    Subdomain(String),
    /// A name to be called by.
    #[error(
        "{0:?} is no name of a host: write it without scheme, port and path, as twin.example.com"
    )]
    Host(String),
    /// Certificates for the proxy.
    #[error("no certificate could be made for https: {0}")]
    Https(String),
    /// The file that says whom to trust.
    #[error("the certificate of the proxy's authority cannot be written to {path}: {error}")]
    CaFile {
        /// The file, or the folder for a temporary one.
        path: PathBuf,
        /// What is the matter.
        error: std::io::Error,
    },
    /// The seed does not become an account.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// The folder of `--data`.
    #[error(transparent)]
    Folder(#[from] DataFolderError),
    /// The folder was planted by other means than this seed.
    #[error(
        "the account in {0} came of another seed, and stays as it is: leave out --seed to go on \
         with it, or delete the folder to plant this one"
    )]
    OtherSeed(PathBuf),
    /// A database that is no twin's.
    #[error(
        "{0} has a database that no twin has planted, and it stays as it is: choose another folder \
         for --data, or delete this one if nothing in it is needed"
    )]
    Unplanted(PathBuf),
    /// What the folder keeps beside its database.
    #[error(
        "{file}, which says who is in the account, cannot be read: {problem}. Delete {folder} to \
         plant the account anew"
    )]
    Kept {
        /// Which file.
        file: PathBuf,
        /// What is the matter with it.
        problem: String,
        /// Where it lies.
        folder: PathBuf,
    },
    /// The server in it.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The database in it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A grant that the server would not make either, and why.
    #[error("{0}")]
    Grant(String),
    /// A reset or the like that broke off.
    #[error("the twin could not be turned: {0}")]
    Turn(String),
    /// A snapshot that was not taken.
    #[error("there is no snapshot {0:?}")]
    NoSnapshot(String),
    /// More snapshots than are kept.
    #[error("there are {0} snapshots already: delete one first")]
    TooManySnapshots(usize),
}
