//! Which media type an answer is written in (GraphQL over HTTP, "Media types").

use axum::http::{HeaderMap, HeaderValue, header};

/// How an answer is labelled. Under the older label every well-formed request is answered with 200.
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

    /// What the client likes best: by weight, then by order. `None` when nothing fits.
    pub fn accepted(headers: &HeaderMap) -> Option<Self> {
        let mut all = headers.get_all(header::ACCEPT).iter().peekable();
        if all.peek().is_none() {
            return Some(Self::Json);
        }
        let mut best: Option<(Self, f32)> = None;
        for range in all.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let media_type = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "application/graphql-response+json" => Self::GraphqlResponse,
                "application/json" | "application/*" | "*/*" => Self::Json,
                _ => continue,
            };
            let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            if weight > best.map_or(0.0, |(_, best)| best) {
                best = Some((media_type, weight));
            }
        }
        best.map(|(media_type, _)| media_type)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(accept: &str) -> Option<MediaType> {
        MediaType::accepted(&HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]))
    }

    #[test]
    fn the_client_decides_by_weight_and_then_by_order() {
        use MediaType::{GraphqlResponse, Json};
        assert_eq!(MediaType::accepted(&HeaderMap::new()), Some(Json));
        assert_eq!(accepted("*/*"), Some(Json));
        assert_eq!(accepted("application/*"), Some(Json));
        assert_eq!(accepted("application/graphql-response+json"), Some(GraphqlResponse));
        assert_eq!(accepted("application/graphql-response+json, application/json"), Some(GraphqlResponse));
        assert_eq!(accepted("application/json, application/graphql-response+json"), Some(Json));
        assert_eq!(accepted("application/graphql-response+json;q=0.5, application/json"), Some(Json));
        assert_eq!(accepted("application/graphql-response+json; charset=utf-8, */*;q=0.1"), Some(GraphqlResponse));
        assert_eq!(accepted("text/html"), None);
        assert_eq!(accepted("application/json;q=0"), None);
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
