//! Passwords: hashed by argon2id, off the async threads and a few at a time, so that a storm of sign-ins waits in line
//! instead of starving the server.

mod strength;

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

pub use strength::chosen;

use crate::error::{Error, Result};
use crate::text::LONGEST_PASSWORD;

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
        let composed: String = password.nfc().take(LONGEST_PASSWORD + 1).collect();
        let typed: String = password.chars().take(LONGEST_PASSWORD + 1).collect();
        self.run(move || {
            let hash = kept.as_deref().unwrap_or(&decoy);
            // Of before passwords were composed some are kept as they were typed.
            let is_right = verify(&composed, hash) || typed != composed && verify(&typed, hash);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_right_however_its_letters_are_composed() {
        let (composed, apart) = ("gr\u{fc}ne b\u{e4}nke am see", "gru\u{308}ne ba\u{308}nke am see");
        let hasher = Hasher::new();
        let verify =
            async |typed: &str, kept: &str| hasher.verify(typed.to_owned(), Some(kept.to_owned())).await.unwrap();
        let kept = hash(&chosen(apart, &[]).unwrap());
        assert!(verify(composed, &kept).await && verify(apart, &kept).await);
        // As they were kept once.
        let kept = hash(apart);
        assert!(verify(apart, &kept).await && !verify(composed, &kept).await);
        let long = "\u{e9}".repeat(LONGEST_PASSWORD);
        let kept = hash(&long);
        assert!(verify(&"e\u{301}".repeat(LONGEST_PASSWORD), &kept).await);
        assert!(!verify(&format!("{long}x"), &kept).await);
    }
}
