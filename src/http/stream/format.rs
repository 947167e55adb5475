//! How answers are written one after the other into one response.

use axum::body::Bytes;
use axum::http::HeaderValue;

/// Both end with a sign that nothing follows. A client to which the stream breaks off without it subscribes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// graphql-sse's distinct connections
    /// (<https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>).
    EventStream,
    /// Apollo's multipart subscriptions, for its mobile clients
    /// (<https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol>).
    Multipart,
}

impl Format {
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::EventStream => "text/event-stream; charset=utf-8",
            Self::Multipart => "multipart/mixed; boundary=\"graphql\"; subscriptionSpec=\"1.0\"",
        })
    }

    /// Before anything else, so that the client and proxies between see at once that it is open.
    pub fn begin(self) -> Bytes {
        Bytes::from_static(match self {
            Self::EventStream => COMMENT,
            Self::Multipart => b"\r\n--graphql",
        })
    }

    /// An answer, as one object.
    pub fn next(self, body: &[u8]) -> Bytes {
        match self {
            // JSON as we write it has no line breaks.
            Self::EventStream => [b"event: next\ndata: ".as_slice(), body, b"\n\n"].concat().into(),
            // A part ends with the delimiter of the next one: a client that waits for it would show each event only when
            // another comes.
            Self::Multipart => [PART, b"{\"payload\":".as_slice(), body, b"}\r\n--graphql"].concat().into(),
        }
    }

    /// Nothing follows.
    pub fn end(self) -> Bytes {
        Bytes::from_static(match self {
            // Browsers pass events without any data over.
            Self::EventStream => b"event: complete\ndata:\n\n",
            Self::Multipart => b"--\r\n",
        })
    }

    /// A sign of life, which clients pass over.
    pub fn beat(self) -> Bytes {
        match self {
            Self::EventStream => Bytes::from_static(COMMENT),
            Self::Multipart => [PART, b"{}\r\n--graphql".as_slice()].concat().into(),
        }
    }
}

/// A line, without the empty one that would end an event: graphql-sse's client loses what follows an empty event in the
/// same packet.
const COMMENT: &[u8] = b":\n";

const PART: &[u8] = b"\r\nContent-Type: application/json\r\n\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_stream_is_written_to_the_letter() {
        let format = Format::EventStream;
        let all = [format.begin(), format.next(b"{\"data\":1}"), format.beat(), format.end()].concat();
        let expected = ":\nevent: next\ndata: {\"data\":1}\n\n:\nevent: complete\ndata:\n\n";
        assert_eq!(std::str::from_utf8(&all).unwrap(), expected);
    }

    #[test]
    fn parts_are_closed_before_the_next_one_comes() {
        let format = Format::Multipart;
        let all = [format.begin(), format.next(b"{\"data\":1}"), format.beat(), format.end()].concat();
        let part = "\r\nContent-Type: application/json\r\n\r\n";
        let expected =
            format!("\r\n--graphql{part}{{\"payload\":{{\"data\":1}}}}\r\n--graphql{part}{{}}\r\n--graphql--\r\n");
        assert_eq!(std::str::from_utf8(&all).unwrap(), expected);
    }
}
