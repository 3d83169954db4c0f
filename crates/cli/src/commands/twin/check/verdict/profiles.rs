//! What each profile asks of a client without any fault, and what it did instead.

use tokenry_twin::Profile;

use super::{Verdict, counted, failed, faults, last};
use crate::commands::twin::check::evidence::{Call, Evidence, Trouble};

const API_TOKENS: &str = "POST /api/v2/api_tokens";

/// Why a command failed at which nothing went wrong.
pub(super) fn judge(evidence: &Evidence) -> Option<Verdict> {
    let calls = &evidence.calls;
    let is_making = |call: &&Call| without_json(&call.target) == API_TOKENS && !call.is_good();
    if evidence.profile != Profile::Legacy && calls.iter().any(|call| is_making(&call)) {
        let told = "made an API token, and there are no new ones since 27 October 2026";
        return Some(failed(format!("{told}: {}", last(evidence))));
    }
    let is_refused = |call: &&Call| call.is_refused() && !call.is_token_request();
    let refused = || calls.iter().filter(is_refused);
    let without_token = refused().filter(|call| call.presented.is_none()).count();
    if evidence.profile == Profile::AfterApiTokens && without_token > 0 {
        let told = counted(without_token, "call");
        return Some(failed(format!(
            "sent no OAuth token, and API tokens are refused from 30 April 2027 on: {told} \
             answered 401"
        )));
    }
    let is_expiring = evidence.profile != Profile::Legacy && evidence.trouble == Trouble::None;
    (is_expiring && refused().next().is_some())
        .then(|| faults::expired(evidence, "access tokens end in this profile", calls))
}

fn without_json(target: &str) -> &str {
    target.strip_suffix(".json").unwrap_or(target)
}
