//! The secret of the server and what is derived from it.

use std::io::{self, Write};
use std::path::Path;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, KeyInit as _, Payload};
use hmac::{Hmac, KeyInit as _, Mac};
use rand::RngCore;
use sha2::Sha256;
use web_push_native::p256;

use crate::signing::Signing;

/// Bytes that stand before what is encrypted, new each time.
const NONCE: usize = 12;

/// Signs access tokens and links, derives refresh tokens, and encrypts what is kept of second factors.
pub struct Keys {
    pub signing: Signing,
    /// Names this server to push services (RFC 8292). Browsers subscribe under it, so servers of one database share it.
    pub vapid: p256::SecretKey,
    refresh: [u8; 32],
    unsubscribe: [u8; 32],
    /// Encrypts what is kept of second factors.
    second_factors: Aes256Gcm,
    recovery_codes: [u8; 32],
    setup_code: String,
}

impl Keys {
    /// Everything is derived from `secret`, under a name each, so that no two uses share a key.
    pub fn new(secret: &str) -> Self {
        Self {
            signing: Signing::by_secret(&mac(secret.as_bytes(), &[b"access token"])),
            vapid: scalar(secret.as_bytes(), b"vapid"),
            refresh: mac(secret.as_bytes(), &[b"refresh token"]),
            unsubscribe: mac(secret.as_bytes(), &[b"unsubscribe"]),
            second_factors: Aes256Gcm::new(&mac(secret.as_bytes(), &[b"second factors"]).into()),
            recovery_codes: mac(secret.as_bytes(), &[b"recovery codes"]),
            setup_code: readable(&rand::random::<[u8; 10]>()),
        }
    }

    /// The same, known to push services by a key of the operator's own.
    pub fn with_vapid(self, key: Option<p256::SecretKey>) -> Self {
        Self { vapid: key.unwrap_or(self.vapid), ..self }
    }

    /// The same, with keys of their own for access tokens.
    pub fn with_signing(self, signing: Signing) -> Self {
        Self { signing, ..self }
    }

    /// The refresh token of one generation of a session: it is never kept, and cannot be made from the database alone.
    pub fn refresh_token(&self, parts: &[&[u8]]) -> [u8; 32] {
        mac(&self.refresh, parts)
    }

    /// Proves that a link to put an end to mails of a kind is of our making.
    pub fn unsubscribe_mac(&self, user: uuid::Uuid, purpose: &str) -> [u8; 32] {
        mac(&self.unsubscribe, &[user.as_bytes(), purpose.as_bytes()])
    }

    /// The secret of somebody's authenticator app, as it is kept: readable with the server's secret alone, and as theirs
    /// alone, so that nobody gets in by a row that was copied to another account.
    pub fn seal_second_factor(&self, user: uuid::Uuid, secret: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload { msg: secret, aad: user.as_bytes() };
        let sealed =
            self.second_factors.encrypt(&nonce.into(), payload).expect("a few bytes, of which any can be encrypted");
        [nonce.as_slice(), &sealed].concat()
    }

    /// `None` where it was sealed under another secret, or for somebody else.
    pub fn open_second_factor(&self, user: uuid::Uuid, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        self.second_factors.decrypt(nonce.into(), Payload { msg: sealed, aad: user.as_bytes() }).ok()
    }

    /// A recovery code, as it is kept. It is short enough to be tried out by whoever has a digest of it, and not this.
    pub fn recovery_code_mac(&self, user: uuid::Uuid, code: &str) -> [u8; 32] {
        mac(&self.recovery_codes, &[user.as_bytes(), code.as_bytes()])
    }

    /// Good until this server stops: makes the first account an ADMIN where the server is reached from other machines.
    pub fn setup_code(&self) -> &str {
        &self.setup_code
    }
}

/// HMAC-SHA-256; each part goes in with its length, so that no two lists of parts are the same bytes.
fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// A private key of P-256; of four billion MACs one is none.
fn scalar(secret: &[u8], name: &[u8]) -> p256::SecretKey {
    let candidates = (0u32..).map(|count| mac(secret, &[name, &count.to_be_bytes()]));
    let mut keys = candidates.filter_map(|bytes| p256::SecretKey::from_slice(&bytes).ok());
    keys.next().expect("one of the first is in the range")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Letters and digits for people to copy.
fn readable(bytes: &[u8]) -> String {
    bytes.chunks(2).map(hex).collect::<Vec<_>>().join("-")
}

/// The secret kept in `dir`, made at the first call. Two servers that start at once agree: the file is created whole or
/// not at all.
pub fn kept_secret(dir: &Path) -> io::Result<String> {
    let path = dir.join("jwt.secret");
    match std::fs::read_to_string(&path) {
        Ok(secret) if secret.trim().len() >= 32 => return Ok(secret.trim().to_owned()),
        Ok(_) => return Err(io::Error::other(format!("{}: too short, remove it to get a new one", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    std::fs::create_dir_all(dir)?;
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    let secret = hex(&bytes);
    let draft = dir.join(format!("jwt.secret.{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(secret.as_bytes())?;
    file.sync_all()?;
    // A hard link, unlike a rename, fails where somebody was faster.
    let linked = std::fs::hard_link(&draft, &path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => kept_secret(dir),
        Err(error) => Err(error),
        Ok(()) => Ok(secret),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_second_factor_opens_for_its_owner_alone_and_under_the_secret_it_was_sealed_by() {
        let (keys, others) =
            (Keys::new("one secret of at least 32 bytes, or so"), Keys::new("another secret of 32 bytes"));
        let (alice, mallory) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let sealed = keys.seal_second_factor(alice, b"her secret");
        assert_eq!(keys.open_second_factor(alice, &sealed).unwrap(), b"her secret");
        assert_ne!(keys.seal_second_factor(alice, b"her secret"), sealed);
        assert!(!sealed.windows(10).any(|bytes| bytes == b"her secret"));
        assert_eq!(keys.open_second_factor(mallory, &sealed), None);
        assert_eq!(others.open_second_factor(alice, &sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(keys.open_second_factor(alice, &changed), None);
            assert_eq!(keys.open_second_factor(alice, &sealed[..at]), None);
        }
    }
}
