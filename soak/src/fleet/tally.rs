//! What happened, counted.

macro_rules! tally {
    ($($(#[doc = $what:literal])+ $name:ident,)+) => {
        /// How often each thing happened.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Tally {
            $($(#[doc = $what])+ pub $name: u64,)+
        }

        impl Tally {
            /// Adds another count to this one.
            pub(super) const fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)+
            }

            /// Each count with what it counts.
            pub fn lines(&self) -> Vec<(u64, &'static str)> {
                vec![$((self.$name, concat!($($what),+))),+]
            }
        }
    };
}

tally! {
    /// refreshes after which a client held its new tokens
    refreshes,
    /// refresh requests sent
    requests,
    /// requests that were lost before the server saw them
    requests_lost,
    /// answers that were lost after the server had acted
    answers_lost,
    /// requests broken off while the server worked
    broken_off,
    /// refreshes sent twice at once
    sent_twice,
    /// refreshes sent again by a second tab, within the window, after the first was heard and used
    second_tabs,
    /// clients that ended between hearing an answer and storing it
    restarts,
    /// laptops that slept for a day with a refresh unanswered
    naps,
    /// answers of 503, after which the client tried again
    unavailable,
    /// uses of access tokens
    uses,
    /// looks at access tokens that a grant had been given, for more than one that lives
    looks,
    /// replays of a refresh token two rotations old or older, all caught
    older_replayed,
    /// replays of the previous refresh token after the new tokens were used, all caught
    previous_replayed,
    /// thieves who were faster than the client, all found out by the client's own refresh
    overtaken,
    /// replays excepted because the use that would tell was lost or not written yet, caught later
    excepted,
    /// grants given up by their clients
    revoked,
    /// sign-ins: the first one of each client, and after a theft or a revocation
    sign_ins,
}

impl Tally {
    /// All true replays.
    pub const fn replays(&self) -> u64 {
        self.older_replayed + self.previous_replayed + self.overtaken
    }
}
