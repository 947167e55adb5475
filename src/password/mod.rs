//! Passwords: hashed by argon2id, off the async threads and a few at a time, so that a storm of sign-ins waits in line
//! instead of starving the server.

mod strength;

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

pub use strength::chosen;

use crate::error::{Error, Result};

/// Hashes that wait at most; more are told to come back.
const WAITING: usize = 200;

#[derive(Clone)]
pub struct Hasher {
    /// Hashes at once: one core stays for everybody else. Each takes 19 MiB.
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// What a password for nobody is compared with, so that an unknown name takes as long as a wrong password.
    decoy: Arc<str>,
}

impl Hasher {
    pub fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            running: Arc::new(Semaphore::new(cores.saturating_sub(1).max(1))),
            waiting: Arc::new(Semaphore::new(WAITING)),
            decoy: hash("a password that nobody has").into(),
        }
    }

    /// The hash to keep, in PHC form, with a salt of its own. Parameters are argon2id's of RFC 9106 as the crate has
    /// them by default, OWASP's minimum: 19 MiB, two passes, one lane.
    pub async fn hash(&self, password: String) -> Result<String> {
        self.run(move || hash(&password)).await
    }

    /// Whether the password is the one of `kept`; `None` for nobody's, which takes as long and is never right.
    pub async fn verify(&self, password: String, kept: Option<String>) -> Result<bool> {
        let decoy = self.decoy.clone();
        // One that is longer than any can be is not worth a hash of any length.
        let password: String = password.chars().take(201).collect();
        self.run(move || {
            let is_right = verify(&password, kept.as_deref().unwrap_or(&decoy));
            is_right && kept.is_some()
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let _place = self.waiting.try_acquire().map_err(|_| Error::unavailable("too many sign-ins at once"))?;
        let turn = self.running.clone().acquire_owned().await.map_err(Error::internal)?;
        // The turn ends with the work, also when the one who asked has hung up.
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.map_err(Error::internal)
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

fn hash(password: &str) -> String {
    let hash = Argon2::default().hash_password(password.as_bytes()).expect("the parameters are the crate's own");
    hash.to_string()
}

fn verify(password: &str, kept: &str) -> bool {
    PasswordHash::new(kept).is_ok_and(|kept| Argon2::default().verify_password(password.as_bytes(), &kept).is_ok())
}
