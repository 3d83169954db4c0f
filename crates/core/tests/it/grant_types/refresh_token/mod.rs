//! RFC 6749 §6, RFC 9700 §4.14.2; docs: grants, "Refresh: rotation, lost answers, replay".

mod checks;
mod random_walk;
mod repeat;
mod replay;
mod rotation;
mod single_use;
mod wishes;
mod without_expiry;
