//! Fuzz targets: one for every parser of bytes that strangers send.
//!
//! One program holds them all, so that the server is linked once; `TOKENRY_FUZZ_TARGET` says which
//! one runs. Without it the program prints their names. `cargo xtask fuzz` builds it, runs it and
//! keeps what it learns; docs/fuzzing.md lists what each target states.

#![no_main]

mod targets;

use std::{env, process, sync::OnceLock};

use targets::{TARGETS, Target};

/// Which target this process runs.
const CHOICE: &str = "TOKENRY_FUZZ_TARGET";

static CHOSEN: OnceLock<Target> = OnceLock::new();

libfuzzer_sys::fuzz_target!(init: choose(), |data: &[u8]| {
    if let Some(target) = CHOSEN.get() {
        (target.run)(data);
    }
});

fn choose() {
    let Ok(name) = env::var(CHOICE) else {
        for target in TARGETS {
            println!("{}", target.name);
        }
        process::exit(0);
    };
    let Some(target) = TARGETS.into_iter().find(|target| target.name == name) else {
        eprintln!("{CHOICE}={name}: there is no such target");
        process::exit(2);
    };
    CHOSEN.get_or_init(|| target);
}
