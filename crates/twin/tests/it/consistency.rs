//! Whatever tests turn and clients call, in whatever order: the account stays consistent.
//!
//! A model knows for every record which tokens are its present ones and until when they live. It
//! is told what clients were answered, and asks the record only about what no client has seen.
//!
//! - Of all tokens that were ever given, exactly the present ones of the model work; of a pair that
//!   is one refresh token.
//! - The list of an administrator shows exactly the records that are alive.
//! - After a reset and a restoration all of that holds for the earlier moment.
//! - The journal has every call once, in order.

mod model;
mod steps;

use proptest::prelude::*;
use tokenry_twin::Profile;

use self::{
    model::World,
    steps::{Step, Struck},
};

fn profile() -> impl Strategy<Value = Profile> {
    // The last one refuses API tokens, which nobody here calls with.
    prop::sample::select(Profile::ALL.to_vec())
}

fn step() -> impl Strategy<Value = Step> {
    let at = any::<prop::sample::Index>;
    let struck = prop_oneof![
        6 => Just(Struck::Not),
        4 => prop::sample::select(steps::STRUCK.to_vec()),
    ];
    prop_oneof![
        8 => (at(), struck.clone()).prop_map(|(at, struck)| Step::Refresh(at, struck)),
        4 => (at(), struck).prop_map(|(at, struck)| Step::Verify(at, struck)),
        3 => at().prop_map(Step::UseDead),
        2 => at().prop_map(Step::RevokeToken),
        1 => at().prop_map(Step::DeleteRecord),
        2 => Just(Step::List),
        1 => Just(Step::Create),
        1 => Just(Step::ClientCredentials),
        2 => prop::sample::select(vec!["acme_mobile", "acme_reports"]).prop_map(Step::Issue),
        1 => Just(Step::Consent),
        2 => at().prop_map(Step::Expire),
        1 => at().prop_map(Step::Revoke),
        2 => at().prop_map(Step::Rotate),
        2 => prop::sample::select(vec![1_u32, 600, 1_860, 259_200, 2_678_400])
            .prop_map(Step::Advance),
        2 => (0..3_u8).prop_map(Step::Snapshot),
        3 => (0..3_u8).prop_map(Step::Restore),
        1 => profile().prop_map(Step::Reset),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 40,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_is_turned_and_called_the_account_stays_consistent(
        first in profile(),
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let mut world = World::begin(first);
        for step in &steps {
            world.take(step);
        }
        world.check();
    }
}
