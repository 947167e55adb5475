//! The two subprotocols that are spoken on sockets, as far as they differ.

use std::borrow::Cow;

use axum::extract::ws::Utf8Bytes;
use axum::http::{HeaderMap, header};
use serde_json::json;
use serde_json::value::RawValue;

use super::protocol::Close;

/// What a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// graphql-transport-ws, to the letter of
    /// <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>.
    Current,
    /// The one that came before it and goes by the name of graphql-ws,
    /// <https://github.com/apollographql/subscriptions-transport-ws/blob/master/PROTOCOL.md>: apps that cannot be updated
    /// speak it. Where that page leaves a client that makes no sense without an answer, or lets it take an id that is
    /// in use, we close as in the current one: its clients connect again whatever the code.
    Old,
}

/// What a message asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Greet,
    Run,
    Stop,
    Ping,
    Pong,
    Leave,
}

impl Dialect {
    pub fn name(self) -> &'static str {
        match self {
            Self::Current => "graphql-transport-ws",
            Self::Old => "graphql-ws",
        }
    }

    /// The first that we speak of those a client offers. Its order decides, not ours: Python's gql offers both, the old
    /// one first, and then speaks that one whatever we choose, as it looks for our choice under `Sec-WebSocket-Protocol`,
    /// with capitals, and finds none.
    pub fn choose(headers: &HeaderMap) -> Option<Self> {
        let offers = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|offers| offers.to_str().ok());
        let known = |name: &str| [Self::Current, Self::Old].into_iter().find(|dialect| dialect.name() == name.trim());
        offers.flat_map(|offers| offers.split(',')).find_map(known)
    }

    pub fn verb(self, kind: &str) -> Option<Verb> {
        match (self, kind) {
            (_, "connection_init") => Some(Verb::Greet),
            (Self::Current, "subscribe") | (Self::Old, "start") => Some(Verb::Run),
            (Self::Current, "complete") | (Self::Old, "stop") => Some(Verb::Stop),
            (Self::Current, "ping") => Some(Verb::Ping),
            (Self::Current, "pong") => Some(Verb::Pong),
            (Self::Old, "connection_terminate") => Some(Verb::Leave),
            _ => None,
        }
    }

    /// What a result is called.
    pub fn next(self) -> &'static str {
        match self {
            Self::Current => "next",
            Self::Old => "data",
        }
    }

    /// The payload of `error`. The old one is a single error; clients in typed languages fail on a list.
    pub fn errors(self, all: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Current => all.into(),
            Self::Old => {
                let all: Vec<&RawValue> = serde_json::from_slice(all).unwrap_or_default();
                all.first().map_or(Cow::Borrowed(b"{}"), |first| first.get().as_bytes().to_vec().into())
            }
        }
    }

    /// Whether operations come before the greeting is acknowledged, without waiting for it. They are read when it is.
    pub fn runs_ahead(self) -> bool {
        self == Self::Old
    }

    /// Whether the client waits for `complete` where it was the one to stop.
    pub fn echoes(self) -> bool {
        self == Self::Old
    }

    /// What a client wants to hear after the acknowledgement, and from then on twice a minute: one that has heard it once
    /// takes the connection for dead when it stays away.
    pub fn sign_of_life(self) -> Option<Utf8Bytes> {
        (self == Self::Old).then(|| Utf8Bytes::from_static(r#"{"type":"ka"}"#))
    }

    /// What is said to a client that is turned away, before closing: the current one says all by the code.
    pub fn rejection(self, close: &Close) -> Option<Utf8Bytes> {
        let message = json!({ "type": "connection_error", "payload": { "message": close.reason } });
        (self == Self::Old).then(|| message.to_string().into())
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_clients_order_decides() {
        let choose = |offers: &[&'static str]| {
            let named = |offer: &&'static str| (header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(offer));
            Dialect::choose(&offers.iter().map(named).collect())
        };
        assert_eq!(choose(&["graphql-transport-ws, graphql-ws"]), Some(Dialect::Current));
        assert_eq!(choose(&["graphql-ws,graphql-transport-ws"]), Some(Dialect::Old));
        assert_eq!(choose(&["chat , graphql-ws"]), Some(Dialect::Old));
        assert_eq!(choose(&["chat", "graphql-transport-ws"]), Some(Dialect::Current));
        assert_eq!(choose(&["chat"]), None);
        assert_eq!(choose(&[]), None);
    }

    #[test]
    fn neither_understands_the_words_of_the_other() {
        for (current, old) in [("subscribe", "start"), ("complete", "stop")] {
            assert!(Dialect::Current.verb(current).is_some() && Dialect::Old.verb(current).is_none(), "{current}");
            assert!(Dialect::Old.verb(old).is_some() && Dialect::Current.verb(old).is_none(), "{old}");
        }
        for dialect in [Dialect::Current, Dialect::Old] {
            for kind in ["", "next", "data", "error", "ka", "connection_ack", "connection_error", "nonsense"] {
                assert_eq!(dialect.verb(kind), None, "{kind}");
            }
        }
        assert_eq!(Dialect::Old.verb("ping"), None);
        assert_eq!(Dialect::Current.verb("connection_terminate"), None);
    }

    #[test]
    fn the_old_one_has_one_error() {
        let errors = br#"[{"message":"a"},{"message":"b"}]"#;
        assert_eq!(&*Dialect::Current.errors(errors), errors);
        assert_eq!(&*Dialect::Old.errors(errors), br#"{"message":"a"}"#);
    }
}
