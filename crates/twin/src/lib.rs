//! A double of Zendesk's OAuth token API, for the tests of whoever calls it: in memory, with a
//! seeded account, every trouble of production on demand, and a clock to turn.

pub mod faults;
pub mod account;
pub mod seed;
