//! What is remembered of records.

use std::sync::Arc;

use tokenry_core::event::{Actor, Event, EventKind};
use tokenry_protocol::ids::{ClientId, TokenId, UserId};

use super::support::after;
use crate::Store;

fn event(token: u64, kind: EventKind, actor: Actor) -> Event {
    Event {
        at: after(1),
        kind,
        token_id: TokenId::new(token).unwrap(),
        client_id: ClientId::new(41).unwrap(),
        user_id: UserId::new(29).unwrap(),
        actor,
    }
}

/// Every kind, every actor; of records that are long gone.
pub async fn events_come_back_oldest_first_with_every_field(store: Arc<dyn Store>) {
    let actors = [
        Actor::User(UserId::new(7).unwrap()),
        Actor::Client(ClientId::new(8).unwrap()),
        Actor::Server,
    ];
    let mut expected = Vec::new();
    for kind in EventKind::ALL {
        for actor in actors {
            expected.push(event(1, kind, actor));
            store.record_event(event(1, kind, actor)).await.unwrap();
            store.record_event(event(2, kind, actor)).await.unwrap();
        }
    }
    let found = store.list_events(TokenId::new(1).unwrap()).await.unwrap();
    assert_eq!(found, expected);
}
