//! `RATE_LIMIT…`, `REGISTRATION`.

use std::num::NonZeroU32;

use async_graphql::Enum;

use super::variable::{BadValue, as_switch, read};

/// What is allowed.
#[derive(Clone, Debug)]
pub struct Limits {
    /// `RATE_LIMIT`: `off` switches off all that follow.
    pub rate_limited: bool,
    /// `RATE_LIMIT_ANONYMOUS`: requests a minute of an address that is not signed in.
    pub anonymous_requests: NonZeroU32,
    /// `RATE_LIMIT_OBJECTS`: objects a minute that somebody's operations may make; as many again for their own events.
    pub objects: NonZeroU32,
    /// `RATE_LIMIT_MESSAGES`: messages a minute that somebody may send.
    pub messages: NonZeroU32,
    /// `RATE_LIMIT_SUBSCRIPTIONS`: subscriptions a minute that somebody may open.
    pub subscriptions: NonZeroU32,
    /// `RATE_LIMIT_SIGN_INS`: attempts a minute to sign in from an address, or to give a password as proof there; as many
    /// proofs that one person may give.
    pub sign_ins: NonZeroU32,
    /// `RATE_LIMIT_REGISTRATIONS`: accounts a minute that an address may make; as many mails that it may
    /// ask for or answer.
    pub registrations: NonZeroU32,
    /// `REGISTRATION`: who may come.
    pub registration: RegistrationPolicy,
}

/// Who may create an account. Values are added over time.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationPolicy {
    /// Anyone.
    Open,
    /// Whoever has an invitation.
    Invitation,
    /// Only administrators, for others.
    AdminOnly,
}

impl Default for Limits {
    fn default() -> Self {
        const fn a_minute(number: u32) -> NonZeroU32 {
            NonZeroU32::new(number).expect("more than none")
        }
        Self {
            rate_limited: true,
            anonymous_requests: a_minute(100),
            // Twenty of the largest operations that there may be, or the start of an app a hundred times.
            objects: a_minute(100_000),
            messages: a_minute(120),
            // An app opens some tens when it starts, and all of them again whenever its network comes back.
            subscriptions: a_minute(600),
            sign_ins: a_minute(20),
            registrations: a_minute(10),
            registration: RegistrationPolicy::Open,
        }
    }
}

impl Limits {
    pub(super) fn from_env() -> Result<Self, BadValue> {
        let registration = read("REGISTRATION", "open", "open, invitation or admin-only", |text| match text {
            "open" => Some(RegistrationPolicy::Open),
            "invitation" => Some(RegistrationPolicy::Invitation),
            "admin-only" => Some(RegistrationPolicy::AdminOnly),
            _ => None,
        })?;
        let default = Self::default();
        let number = |name, default: NonZeroU32| {
            read(name, &default.to_string(), "a number a minute, at least 1", |text| text.parse().ok())
        };
        Ok(Self {
            rate_limited: read("RATE_LIMIT", "on", "on or off", as_switch)?,
            anonymous_requests: number("RATE_LIMIT_ANONYMOUS", default.anonymous_requests)?,
            objects: number("RATE_LIMIT_OBJECTS", default.objects)?,
            messages: number("RATE_LIMIT_MESSAGES", default.messages)?,
            subscriptions: number("RATE_LIMIT_SUBSCRIPTIONS", default.subscriptions)?,
            sign_ins: number("RATE_LIMIT_SIGN_INS", default.sign_ins)?,
            registrations: number("RATE_LIMIT_REGISTRATIONS", default.registrations)?,
            registration,
        })
    }
}
