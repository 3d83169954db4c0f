//! Client records. Docs: records §3, rules §9.

mod change;
mod create;
mod look;
