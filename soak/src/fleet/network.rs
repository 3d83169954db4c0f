//! A bad network: what becomes of a request and of its answer.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
};

use anyhow::Result;
use axum::body::Body;
use http::Request;

use crate::{environment::Dice, http::Answer, server::Server};

/// Of a thousand requests, how many never arrive.
const REQUESTS_LOST: u64 = 80;
/// Of a thousand requests, of how many the sender hears no answer.
const ANSWERS_LOST: u64 = 80;
/// Of a thousand requests, on how many the connection breaks while the server works.
const BROKEN_OFF: u64 = 40;

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is answered.
    Arrives,
    /// The server never sees it.
    RequestLost,
    /// The server acts and answers, and nobody hears it.
    AnswerLost,
    /// The connection breaks: the server drops the work the next time it waits after so many turns.
    BrokenOff { turns: u64 },
}

/// How a request ended.
pub(super) enum Delivery {
    /// The sender has the answer.
    Heard(Answer),
    /// The server answered; the sender does not know.
    Unheard(Answer),
    /// Nothing happened.
    NeverArrived,
    /// It may have been acted on.
    Unknown,
}

impl Fate {
    /// 20 % of answers are lost, one way or the other.
    pub(super) const fn throw(dice: &mut Dice) -> Self {
        match dice.between(0, 999) {
            throw if throw < REQUESTS_LOST => Self::RequestLost,
            throw if throw < REQUESTS_LOST + ANSWERS_LOST => Self::AnswerLost,
            throw if throw < REQUESTS_LOST + ANSWERS_LOST + BROKEN_OFF => {
                Self::BrokenOff { turns: dice.between(0, 2) }
            }
            _ => Self::Arrives,
        }
    }
}

/// Sends a request to its fate.
pub(super) async fn deliver(
    server: Arc<Server>,
    request: Request<Body>,
    fate: Fate,
) -> Result<Delivery> {
    Ok(match fate {
        Fate::Arrives => Delivery::Heard(server.send(request).await?),
        Fate::RequestLost => Delivery::NeverArrived,
        Fate::AnswerLost => Delivery::Unheard(server.send(request).await?),
        Fate::BrokenOff { mut turns } => {
            let mut answer = pin!(server.send(request));
            let cut = std::future::poll_fn(|context: &mut Context<'_>| {
                match answer.as_mut().poll(context) {
                    Poll::Ready(answer) => Poll::Ready(Some(answer)),
                    Poll::Pending if turns == 0 => Poll::Ready(None),
                    Poll::Pending => {
                        turns -= 1;
                        Poll::Pending
                    }
                }
            });
            match cut.await {
                Some(answer) => Delivery::Unheard(answer?),
                None => Delivery::Unknown,
            }
        }
    })
}
