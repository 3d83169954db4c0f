//! The twin as its users meet it.
