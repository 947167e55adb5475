//! How much anybody may ask for in a while, so that one person, or one machine that is nobody yet, does not take what is
//! there for all.
//!
//! A budget is so much in a minute: all of it at once, if need be, and then it comes back evenly. It counts over all
//! requests, sockets and sessions of whoever is charged, in the memory of this server: of several servers each has its own.
//! What is refused has cost what was charged before: that it was asked, and what came first of several budgets.
//!
//! What takes its time is bounded beside that, by how much of it one may have at once (`Places`).

mod bucket;
mod places;

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use chrono::TimeDelta;
use sha2::{Digest, Sha256};

pub use places::{Held, OPERATIONS, Place, Places};

use bucket::Bucket;

use crate::clock::Clock;
use crate::config;
use crate::error::{Code, Error, Result};
use crate::id::UserId;

/// Bits of an IPv6 address that say whose it is: the rest is for its owner to choose, and to change with each request.
const IPV6_NETWORK: u32 = 64;
/// Attempts in a minute at the account of one person, whoever makes them. Those beyond wait for their turn.
const ATTEMPTS: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// But no longer than this, then they go ahead: otherwise whoever guesses without end would lock the owner out.
const SLOWEST: Duration = Duration::from_secs(5);

/// What is limited. Each is counted for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// Requests, of somebody who is not signed in.
    Requests,
    /// Objects that operations may make, as the guard weighs them.
    Objects,
    /// The same, of what is shown to one subscriber alone.
    Events,
    /// Messages that are sent.
    Messages,
    /// Subscriptions that are opened.
    Subscriptions,
    /// Ways into an account that is there, and what takes its password.
    SignIns,
    /// Passwords that somebody who is signed in gives to prove who they are.
    Proofs,
    /// Accounts that are made.
    Registrations,
    /// What makes the server write to an address, or takes what it wrote.
    Mails,
}

/// Who pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Payer {
    User(UserId),
    /// Of an IPv6 address its network.
    Address(IpAddr),
}

/// The budgets of everybody.
pub struct Limits {
    /// None where limits are switched off.
    buckets: Option<[Bucket<Payer>; Budget::ALL.len()]>,
    /// By the digest of the name that is tried: a name may be as long as a request.
    attempts: Bucket<[u8; 32]>,
    clock: Clock,
}

impl Budget {
    const ALL: [Self; 9] = [
        Self::Requests,
        Self::Objects,
        Self::Events,
        Self::Messages,
        Self::Subscriptions,
        Self::SignIns,
        Self::Proofs,
        Self::Registrations,
        Self::Mails,
    ];

    /// As `extensions.budget` of a refusal has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Objects => "objects",
            Self::Events => "events",
            Self::Messages => "messages",
            Self::Subscriptions => "subscriptions",
            Self::SignIns => "sign-ins",
            Self::Proofs => "proofs",
            Self::Registrations => "registrations",
            Self::Mails => "mails",
        }
    }

    /// In a minute.
    fn of(self, config: &config::Limits) -> NonZeroU32 {
        match self {
            Self::Requests => config.anonymous_requests,
            Self::Objects | Self::Events => config.objects,
            Self::Messages => config.messages,
            Self::Subscriptions => config.subscriptions,
            Self::SignIns | Self::Proofs => config.sign_ins,
            Self::Registrations | Self::Mails => config.registrations,
        }
    }

    /// Fields of `Mutation`, and what each use of them is charged to, beside its objects or as a request.
    ///
    /// Those that make or open an account, or take its password, are charged to the address whoever is signed in: guessing
    /// goes on from accounts, too, and a hash takes longer than all else. A refresh is a request like others: nobody guesses
    /// its token, and a house full of people needs many of them.
    pub const MUTATIONS: [(&str, Self); 15] = [
        ("sendMessage", Self::Messages),
        ("login", Self::SignIns),
        ("answerSecondFactor", Self::SignIns),
        // Asks another server, and is remembered.
        ("beginOAuth", Self::SignIns),
        ("completeOAuth", Self::SignIns),
        ("unlinkOAuthAccount", Self::SignIns),
        ("changePassword", Self::SignIns),
        ("beginSecondFactor", Self::SignIns),
        ("deleteAccount", Self::SignIns),
        ("register", Self::Registrations),
        ("requestPasswordReset", Self::Mails),
        ("resetPassword", Self::Mails),
        ("requestEmailVerification", Self::Mails),
        ("verifyEmail", Self::Mails),
        ("changeEmail", Self::Mails),
    ];

    /// Of a field of `Mutation`.
    pub fn of_mutation(field: &str) -> Option<Self> {
        Self::MUTATIONS.iter().find(|(name, _)| *name == field).map(|(_, budget)| *budget)
    }

    /// Whether it is the address that pays, whoever is signed in.
    pub fn is_of_address(self) -> bool {
        matches!(self, Self::Requests | Self::SignIns | Self::Registrations | Self::Mails)
    }
}

impl Payer {
    pub fn at(address: IpAddr) -> Self {
        Self::Address(match address {
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << (128 - IPV6_NETWORK))).into(),
            v4 => v4,
        })
    }
}

impl Limits {
    pub fn new(config: &config::Limits, clock: Clock) -> Self {
        let buckets = || Budget::ALL.map(|budget| Bucket::of(budget.of(config), &clock));
        Self { buckets: config.rate_limited.then(buckets), attempts: Bucket::of(ATTEMPTS, &clock), clock }
    }

    /// Takes so much from a budget, or says when there will be as much.
    pub fn charge(&self, budget: Budget, payer: Payer, amount: u32) -> Result<()> {
        self.charge_rest(budget, payer, amount, 0)
    }

    /// The same, where some of it was taken before.
    pub fn charge_rest(&self, budget: Budget, payer: Payer, amount: u32, paid: u32) -> Result<()> {
        match self.takes(budget, payer, amount, paid) {
            Ok(()) => Ok(()),
            Err((bucket, wait)) => {
                let wait = wait.as_nanos().div_ceil(1_000_000);
                let seconds = wait.div_ceil(1_000);
                let message = format!("Too many {} in a minute: try again in {seconds} s", budget.name());
                let error = Error::new(Code::RateLimited, message)
                    .with("retryAfterMs", u64::try_from(wait).unwrap_or(u64::MAX))
                    .with("budget", budget.name())
                    .with("limit", bucket.a_minute.get());
                Err(error)
            }
        }
    }

    /// Takes so much from a budget once there is as much.
    pub async fn wait_for(&self, budget: Budget, payer: Payer, amount: u32) {
        while let Err((_, wait)) = self.takes(budget, payer, amount, 0) {
            self.pause(wait).await;
        }
    }

    fn takes(&self, budget: Budget, payer: Payer, amount: u32, paid: u32) -> Result<(), (&Bucket<Payer>, Duration)> {
        let (Some(buckets), Some(amount)) = (&self.buckets, NonZeroU32::new(amount)) else { return Ok(()) };
        let bucket = &buckets[budget as usize];
        bucket.take(&payer, amount, paid).map_err(|wait| (bucket, wait))
    }

    /// Before somebody who may be guessing tries to get into an account: the more of them there are, the slower all of them
    /// get on. `name` is whatever they call the account, so that one that does not exist is as slow.
    pub async fn attempt(&self, name: &str) {
        if self.buckets.is_some()
            && let Err(wait) = self.attempts.take(&Sha256::digest(name).into(), NonZeroU32::MIN, 0)
        {
            self.pause(wait.min(SLOWEST)).await;
        }
    }

    async fn pause(&self, time: Duration) {
        let time = TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
        self.clock.reach(self.clock.now() + time).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(config: config::Limits) -> (Limits, Clock) {
        let clock = Clock::default();
        (Limits::new(&config, clock.clone()), clock)
    }

    fn few() -> config::Limits {
        let few = |number| NonZeroU32::new(number).unwrap();
        config::Limits { rate_limited: true, anonymous_requests: few(6), messages: few(2), ..Default::default() }
    }

    fn from(address: &str) -> Payer {
        Payer::at(address.parse().unwrap())
    }

    #[test]
    fn a_budget_is_spent_at_once_and_comes_back_evenly() {
        let (limits, clock) = limits(few());
        let ask = || limits.charge(Budget::Requests, from("10.0.0.1"), 1);
        assert!((0..6).all(|_| ask().is_ok()));
        let refused = ask().unwrap_err();
        assert_eq!(refused.code(), Code::RateLimited);
        let wait = refused.extensions()["retryAfterMs"].as_u64().unwrap();
        assert!((1..=10_000).contains(&wait), "{wait}");
        clock.advance(TimeDelta::milliseconds(wait as i64));
        assert!(ask().is_ok() && ask().is_err(), "one comes back each ten seconds");
        clock.advance(TimeDelta::minutes(10));
        assert!((0..6).all(|_| ask().is_ok()) && ask().is_err(), "and never more than all of them");
    }

    #[test]
    fn everybody_and_each_budget_is_counted_apart() {
        let (limits, _) = limits(few());
        assert!(limits.charge(Budget::Messages, from("10.0.0.1"), 2).is_ok());
        assert!(limits.charge(Budget::Messages, from("10.0.0.1"), 1).is_err());
        assert!(limits.charge(Budget::Messages, from("10.0.0.2"), 2).is_ok());
        assert!(limits.charge(Budget::Requests, from("10.0.0.1"), 6).is_ok());
    }

    #[test]
    fn a_network_of_ipv6_is_one() {
        let (limits, _) = limits(few());
        assert!(limits.charge(Budget::Messages, from("2001:db8:1:2::1"), 2).is_ok());
        assert!(limits.charge(Budget::Messages, from("2001:db8:1:2:ffff::9"), 1).is_err());
        assert!(limits.charge(Budget::Messages, from("2001:db8:1:3::1"), 1).is_ok());
    }

    #[test]
    fn what_is_more_than_all_of_a_budget_waits_for_all_of_it() {
        let (limits, clock) = limits(few());
        assert!(limits.charge(Budget::Messages, from("10.0.0.1"), 1).is_ok());
        assert!(limits.charge(Budget::Messages, from("10.0.0.1"), 5).is_err());
        clock.advance(TimeDelta::minutes(1));
        assert!(limits.charge(Budget::Messages, from("10.0.0.1"), 5).is_ok());
    }

    #[test]
    fn who_paid_some_of_it_and_waits_as_told_can_pay_all_of_it() {
        let (limits, clock) = limits(few());
        let ask = |amount: u32| {
            limits.charge(Budget::Requests, from("10.0.0.1"), 1)?;
            limits.charge_rest(Budget::Requests, from("10.0.0.1"), amount, 1)
        };
        assert!(ask(4).is_ok());
        // One is left of six. The two that are lacking come back in 20 s, and the one that asking takes 10 s later.
        let wait = ask(4).unwrap_err().extensions()["retryAfterMs"].as_i64().unwrap();
        assert!((20_001..=30_000).contains(&wait), "{wait}");
        clock.advance(TimeDelta::milliseconds(wait));
        assert!(ask(4).is_ok());
        clock.advance(TimeDelta::minutes(1));
        assert!(ask(1).is_ok() && ask(5).is_ok(), "all of it");
        clock.advance(TimeDelta::minutes(1));
        assert!(ask(7).is_ok(), "what is more than there can ever be");
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nobody_wait_for_it() {
        let (limits, clock) = limits(few());
        assert!(limits.charge(Budget::Messages, from("10.0.0.1"), 2).is_ok());
        clock.advance(-TimeDelta::days(1));
        let refused = limits.charge(Budget::Messages, from("10.0.0.1"), 1).unwrap_err();
        assert!(refused.extensions()["retryAfterMs"].as_u64().unwrap() <= 60_000);
    }

    #[tokio::test]
    async fn attempts_at_an_account_get_slow_and_are_never_refused() {
        let (limits, clock) = limits(few());
        for _ in 0..ATTEMPTS.get() {
            limits.attempt("alice").await;
        }
        let mut slow = std::pin::pin!(limits.attempt("alice"));
        assert!(futures_util::poll!(slow.as_mut()).is_pending());
        limits.attempt("bob").await;
        clock.advance(TimeDelta::from_std(SLOWEST).unwrap());
        slow.await;
    }

    #[test]
    fn nothing_is_refused_where_limits_are_off() {
        let (limits, _) = limits(config::Limits { rate_limited: false, ..few() });
        assert!((0..100).all(|_| limits.charge(Budget::Messages, from("10.0.0.1"), 100).is_ok()));
    }
}
