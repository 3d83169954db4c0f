//! Token records. Docs: records §1–§2, rules §1–§3.

mod create;
mod end;
mod look;
