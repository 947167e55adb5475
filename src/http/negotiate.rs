//! In what form an answer is written (GraphQL over HTTP, "Media types").

use axum::http::{HeaderMap, HeaderValue, header};

use super::stream::Format;

/// How a single answer is labelled. Under the older label every well-formed request is answered with 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaType {
    Json,
    GraphqlResponse,
}

impl MediaType {
    pub fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        })
    }
}

/// A form that an answer may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Single(MediaType),
    Stream(Format),
}

/// What a client takes. At least one of them is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// What it likes best for a single answer.
    best: Option<Form>,
    /// The same, without streams.
    single: Option<MediaType>,
    /// What it likes best of those that hold many answers.
    stream: Option<Format>,
}

impl Accepted {
    /// By weight, then by order. `None` when nothing fits.
    pub fn by(headers: &HeaderMap) -> Option<Self> {
        let mut all = headers.get_all(header::ACCEPT).iter().peekable();
        if all.peek().is_none() {
            return Some(Self::only(MediaType::Json));
        }
        let (mut best, mut single, mut stream) = ((None, 0.0), (None, 0.0), (None, 0.0));
        for range in all.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
            let parameter = |wanted: &str| {
                let mut pairs = parts.clone().filter_map(|part| part.split_once('='));
                pairs.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim_matches('"'))
            };
            let form = match essence.as_str() {
                "application/graphql-response+json" => Form::Single(MediaType::GraphqlResponse),
                "application/json" | "application/*" | "*/*" => Form::Single(MediaType::Json),
                "text/event-stream" => Form::Stream(Format::EventStream),
                "multipart/mixed" if parameter("subscriptionSpec") == Some("1.0") => Form::Stream(Format::Multipart),
                _ => continue,
            };
            let weight: f32 = parameter("q").and_then(|weight| weight.parse().ok()).unwrap_or(1.0);
            // Apollo's clients name multipart first, and mean it for subscriptions.
            if form != Form::Stream(Format::Multipart) && weight > best.1 {
                best = (Some(form), weight);
            }
            match form {
                Form::Stream(format) if weight > stream.1 => stream = (Some(format), weight),
                Form::Single(media_type) if weight > single.1 => single = (Some(media_type), weight),
                _ => {}
            }
        }
        let accepted = Self { best: best.0, single: single.0, stream: stream.0 };
        (accepted.best.is_some() || accepted.stream.is_some()).then_some(accepted)
    }

    fn only(media_type: MediaType) -> Self {
        Self { best: Some(Form::Single(media_type)), single: Some(media_type), stream: None }
    }

    /// The same, of a client that is answered once; `None` when nothing fits.
    pub fn once(self) -> Option<Self> {
        self.single.map(Self::only)
    }

    /// For a query, a mutation, or errors before anything ran.
    pub fn for_one(self) -> Form {
        let stream = || self.stream.map(Form::Stream);
        self.best.or_else(stream).unwrap_or(Form::Single(MediaType::Json))
    }

    /// For a subscription; `None` where the client takes a single answer alone.
    pub fn for_many(self) -> Option<Format> {
        self.stream
    }

    /// For a request that is wrong before its document is looked at.
    pub fn for_refusal(self) -> MediaType {
        match self.best {
            Some(Form::Single(media_type)) => media_type,
            _ => MediaType::Json,
        }
    }
}

/// Whether a body may be read: JSON in UTF-8, said so. A page elsewhere may send anything else without asking first
/// (a form, plain text), so it must not run.
pub fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(content_type)) = headers.get(header::CONTENT_TYPE).map(HeaderValue::to_str) else { return false };
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    is_json
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, charset)) if name.eq_ignore_ascii_case("charset") => {
                charset.trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        })
}

/// Whether a body comes as it is. What is compressed may be a thousand times as long as it looks.
pub fn is_plain(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(accept: &str) -> Option<Accepted> {
        Accepted::by(&HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]))
    }

    #[test]
    fn the_client_decides_by_weight_and_then_by_order() {
        use MediaType::{GraphqlResponse, Json};
        let one = |accept| accepted(accept).map(Accepted::for_one);
        assert_eq!(Accepted::by(&HeaderMap::new()).map(Accepted::for_one), Some(Form::Single(Json)));
        for (accept, media_type) in [
            ("*/*", Json),
            ("application/*", Json),
            ("application/graphql-response+json", GraphqlResponse),
            ("application/graphql-response+json, application/json", GraphqlResponse),
            ("application/json, application/graphql-response+json", Json),
            ("application/graphql-response+json;q=0.5, application/json", Json),
            ("application/graphql-response+json; charset=utf-8, */*;q=0.1", GraphqlResponse),
            ("application/json, text/event-stream, multipart/mixed", Json),
        ] {
            assert_eq!(one(accept), Some(Form::Single(media_type)), "{accept}");
        }
        assert_eq!(one("text/html"), None);
        assert_eq!(one("application/json;q=0"), None);
        assert_eq!(one("multipart/mixed"), None);
    }

    #[test]
    fn streams_are_taken_as_clients_ask_for_them() {
        use Format::{EventStream, Multipart};
        let both = |accept| accepted(accept).map(|accepted| (accepted.for_one(), accepted.for_many()));
        let json = Form::Single(MediaType::Json);
        for (accept, one, many) in [
            // graphql-sse, urql.
            ("text/event-stream", Form::Stream(EventStream), Some(EventStream)),
            ("text/event-stream, multipart/mixed", Form::Stream(EventStream), Some(EventStream)),
            // Apollo for iOS, for Kotlin and for the web.
            ("multipart/mixed;subscriptionSpec=1.0, application/json", json, Some(Multipart)),
            ("multipart/mixed;boundary=\"graphql\";subscriptionSpec=\"1.0\",application/json", json, Some(Multipart)),
            ("multipart/mixed;subscriptionSpec=1.0", Form::Stream(Multipart), Some(Multipart)),
            ("multipart/mixed;deferSpec=20220824, application/json", json, None),
            ("application/json", json, None),
        ] {
            assert_eq!(both(accept), Some((one, many)), "{accept}");
        }
        let once = |accept| accepted(accept).and_then(Accepted::once).map(|once| (once.for_one(), once.for_many()));
        assert_eq!(once("text/event-stream, application/json;q=0.5"), Some((json, None)));
        assert_eq!(once("text/event-stream"), None);
    }

    #[test]
    fn only_json_in_utf_8_is_read() {
        let read = |text: &str| is_json(&HeaderMap::from_iter([(header::CONTENT_TYPE, text.parse().unwrap())]));
        assert!(read("application/json"));
        assert!(read("Application/JSON; charset=UTF-8"));
        assert!(!read("application/json; charset=utf-16"));
        assert!(!read("text/plain"));
        assert!(!read("application/jsonp"));
        assert!(!is_json(&HeaderMap::new()));
    }
}
