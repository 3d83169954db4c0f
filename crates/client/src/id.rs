//! Ids as callers have them: numbers, or ids of records.

use tokenry_protocol::ids::{ApiTokenId, ClientId, InvalidId, TokenId, UserId};

use crate::Error;

/// What an operation takes for the id of a record: the id itself, or its number.
pub trait IntoId<T>: sealed::Sealed {
    /// The id, unless the number can be nobody's.
    fn into_id(self) -> Result<T, InvalidId>;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! ids {
    ($($id:ty),*) => {
        impl sealed::Sealed for u64 {}
        $(
            impl sealed::Sealed for $id {}

            impl IntoId<$id> for $id {
                fn into_id(self) -> Result<$id, InvalidId> {
                    Ok(self)
                }
            }

            impl IntoId<$id> for u64 {
                fn into_id(self) -> Result<$id, InvalidId> {
                    <$id>::new(self)
                }
            }
        )*
    };
}

ids!(ApiTokenId, ClientId, TokenId, UserId);

/// An id that was given, and is looked at when the request is made.
pub(crate) type GivenId<T> = Result<T, InvalidId>;

/// The id, or the error that says which one it was.
pub(crate) fn given<T: Copy>(name: &str, id: GivenId<T>) -> Result<T, Error> {
    id.map_err(|error| Error::Request(format!("{name}: {error}")))
}
