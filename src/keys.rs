//! The secret of the server and what is derived from it.

use std::io::{self, Write};
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use rand::RngCore;
use sha2::Sha256;
use web_push_native::p256;

use crate::signing::Signing;

/// Signs access tokens and links, and derives refresh tokens.
pub struct Keys {
    pub signing: Signing,
    /// Names this server to push services (RFC 8292). Browsers subscribe under it, so servers of one database share it.
    pub vapid: p256::SecretKey,
    refresh: [u8; 32],
    unsubscribe: [u8; 32],
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
