//! Scalars of the API that GraphQL does not have.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime as Chrono, SecondsFormat, SubsecRound, Utc};

use crate::clock::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime(pub Instant);

/// An instant: RFC 3339 with an offset, milliseconds at most; the server always writes UTC, as in
/// 2026-11-20T09:05:16.123Z.
#[Scalar(specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        match Chrono::parse_from_rfc3339(text) {
            Ok(instant) => Ok(Self(instant.with_timezone(&Utc).trunc_subsecs(3))),
            Err(_) => Err(InputValueError::custom("not an instant as RFC 3339 has it")),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl From<Instant> for DateTime {
    fn from(instant: Instant) -> Self {
        Self(instant)
    }
}

/// A scalar that is a text. It takes any: what is wrong with it is said together with what else is wrong with the input.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident $(as $shown:literal)? = $url:literal),* $(,)?) => {$(
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(pub String);

        $(#[$doc])*
        #[Scalar($(name = $shown,)? specified_by_url = $url)]
        impl ScalarType for $name {
            fn parse(value: Value) -> InputValueResult<Self> {
                match value {
                    Value::String(text) => Ok(Self(text)),
                    _ => Err(InputValueError::expected_type(value)),
                }
            }

            fn to_value(&self) -> Value {
                Value::String(self.0.clone())
            }
        }
    )*};
}

texts! {
    /// A language tag, as in en-GB.
    LanguageTag = "https://www.rfc-editor.org/rfc/rfc5646",
    /// A time zone by its IANA name, as in Europe/Berlin.
    TimeZone = "https://www.iana.org/time-zones",
    /// A time of day without a date or an offset, as in 22:30.
    LocalTime = "https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
    /// An absolute URL.
    Url as "URL" = "https://url.spec.whatwg.org/",
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteCount(pub u64);

/// A count of bytes: a JSON integer between 0 and 2^53 - 1.
#[Scalar]
impl ScalarType for ByteCount {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::Number(number) => match number.as_u64() {
                Some(count) if count < 1 << 53 => Ok(Self(count)),
                _ => Err(InputValueError::custom("not a count of bytes")),
            },
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::Number(self.0.into())
    }
}
