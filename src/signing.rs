//! What access tokens are signed with: keys that are named by `kid`, each for one algorithm.
//!
//! They are kept in `DATA_DIR` and sign by EdDSA, so that whoever reads `/.well-known/jwks.json` can tell a good token from
//! a forged one and cannot make any. The newest signs; those before it are good until what they have signed has run out.
//! `chinwag rotate-keys` writes a new one into the file, and running servers see at their next look that it is another
//! file: each time a token is signed or read, which costs a `stat`. Where there is a `JWT_SECRET` it signs alone, by HS256.
//!
//! Nothing else is derived from these keys: refresh tokens, links in mails and the name for push services outlive them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::clock::Instant;
use crate::error::{Error, Result};
use crate::realtime::ACCESS_TOKEN_LIVES;

/// The keys, in `DATA_DIR`.
const FILE: &str = "signing-keys.json";
/// Held by whoever writes them.
const LOCK: &str = "signing-keys.lock";
/// How much longer than its last token a key is good: servers sign by it until they look again, and clocks differ.
const GRACE: TimeDelta = TimeDelta::minutes(1);

/// All keys that are good. A server has one of these.
pub struct Signing {
    keys: RwLock<Arc<Keys>>,
    /// Where they are kept; `None` for a secret of the operator's.
    file: Option<PathBuf>,
}

struct Keys {
    /// The newest first, which signs.
    all: Vec<Arc<Key>>,
    version: Version,
}

/// What tells a file from the one that was there before.
type Version = Option<(u64, i64, i64)>;

/// One key, and what it may be used for.
pub struct Key {
    pub kid: String,
    pub algorithm: Algorithm,
    pub encoding: EncodingKey,
    decoding: DecodingKey,
    /// What others need to check tokens; `None` for a secret.
    public: Option<String>,
    /// `None` for the one that signs.
    good_until: Option<Instant>,
}

/// A key as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// In base64url, as in all that is about tokens.
    seed: String,
    good_until: Option<Instant>,
}

impl Signing {
    /// With a secret that all servers of a database know.
    pub fn by_secret(secret: &[u8]) -> Self {
        let key = Key {
            kid: "1".to_owned(),
            algorithm: Algorithm::HS256,
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            public: None,
            good_until: None,
        };
        Self { keys: RwLock::new(Arc::new(Keys { all: vec![Arc::new(key)], version: None })), file: None }
    }

    /// With the keys kept in `dir`; at the first call one is made.
    pub fn kept_in(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let file = dir.join(FILE);
        if !file.exists() {
            let _lock = lock(dir)?;
            // Somebody may have been faster.
            if !file.exists() {
                write(dir, &[Kept::new()])?;
            }
        }
        Ok(Self { keys: RwLock::new(Arc::new(Keys::read(&file)?)), file: Some(file) })
    }

    /// The key that signs now.
    pub fn signer(&self) -> Arc<Key> {
        self.keys().all[0].clone()
    }

    pub fn sign(&self, claims: &impl Serialize) -> Result<String> {
        let key = self.signer();
        encode(&key.header(), claims, &key.encoding).map_err(Error::internal)
    }

    /// What a token says that was signed by a key that is good. Whether it has run out is not looked at: that is judged by
    /// the server's own clock.
    pub fn verify<T: DeserializeOwned>(&self, token: &str, now: Instant) -> Option<T> {
        let kid = decode_header(token).ok()?.kid?;
        let key = self.keys().all.iter().find(|key| key.kid == kid && key.is_good(now))?.clone();
        decode(token, &key.decoding, &key.validation()).ok().map(|token| token.claims)
    }

    /// What others check tokens with (RFC 7517).
    pub fn published(&self, now: Instant) -> Value {
        let keys = self.keys();
        let good = keys.all.iter().filter(|key| key.is_good(now));
        let public = good.filter_map(|key| Some((key, key.public.as_ref()?)));
        let keys = public.map(
            |(key, x)| json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": key.kid, "alg": "EdDSA", "use": "sig" }),
        );
        json!({ "keys": keys.collect::<Vec<_>>() })
    }

    /// The keys as they are kept now. A file that cannot be read any more changes nothing: what was good stays so.
    fn keys(&self) -> Arc<Keys> {
        let known = self.keys.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(file) = &self.file else { return known };
        match version(file) {
            found if found.is_none() || found == known.version => known,
            _ => match Keys::read(file) {
                Ok(found) => {
                    let found = Arc::new(found);
                    *self.keys.write().unwrap_or_else(PoisonError::into_inner) = found.clone();
                    found
                }
                Err(error) => {
                    tracing::error!(%error, "the keys that sign tokens cannot be read again");
                    known
                }
            },
        }
    }
}

impl Key {
    /// Of the tokens it signs.
    pub fn header(&self) -> Header {
        Header { kid: Some(self.kid.clone()), ..Header::new(self.algorithm) }
    }

    fn validation(&self) -> Validation {
        // No token says by which algorithm it is read.
        let mut validation = Validation::new(self.algorithm);
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        validation
    }

    fn is_good(&self, now: Instant) -> bool {
        self.good_until.is_none_or(|until| now < until)
    }
}

impl Keys {
    fn read(file: &Path) -> io::Result<Self> {
        // Looked at first: what is written meanwhile is then found at the next look.
        let version = version(file);
        let all = read(file)?.iter().map(|kept| kept.key().map(Arc::new)).collect::<io::Result<Vec<_>>>()?;
        Ok(Self { all, version })
    }
}

impl Kept {
    fn new() -> Self {
        Self { seed: URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()), good_until: None }
    }

    fn key(&self) -> io::Result<Key> {
        let seed = URL_SAFE_NO_PAD.decode(&self.seed).ok().and_then(|seed| seed.try_into().ok());
        let key = SigningKey::from_bytes(&seed.ok_or_else(|| io::Error::other("a seed is not 32 bytes"))?);
        let private = key.to_pkcs8_der().map_err(io::Error::other)?;
        let public = key.verifying_key();
        let x = URL_SAFE_NO_PAD.encode(public.as_bytes());
        Ok(Key {
            // Its thumbprint (RFC 7638): the members that are needed, in the order of the alphabet.
            kid: URL_SAFE_NO_PAD.encode(Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#))),
            algorithm: Algorithm::EdDSA,
            encoding: EncodingKey::from_ed_der(private.as_bytes()),
            decoding: DecodingKey::from_ed_der(public.as_bytes()),
            public: Some(x),
            good_until: self.good_until,
        })
    }
}

/// Writes a new key, which signs from now on, and answers with its `kid`. Those before it are good for as long as what they
/// signed; or not any more, where they are in the wrong hands.
pub fn rotate(dir: &Path, now: Instant, drops_old: bool) -> io::Result<String> {
    let file = dir.join(FILE);
    if !file.exists() {
        let message = format!("there are no keys in {}: a server makes them when it first starts", dir.display());
        return Err(io::Error::other(message));
    }
    let _lock = lock(dir)?;
    let mut kept = match drops_old {
        true => Vec::new(),
        false => read(&file)?,
    };
    let run_out = now + ACCESS_TOKEN_LIVES + GRACE;
    for key in &mut kept {
        key.good_until.get_or_insert(run_out);
    }
    kept.retain(|key| key.good_until.is_none_or(|until| now < until));
    kept.insert(0, Kept::new());
    write(dir, &kept)?;
    Ok(kept[0].key()?.kid)
}

/// Waits for whoever writes the keys. Ends when dropped.
fn lock(dir: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(dir.join(LOCK))?;
    file.lock()?;
    Ok(file)
}

fn read(file: &Path) -> io::Result<Vec<Kept>> {
    let bad = |why: String| io::Error::other(format!("{}: {why}", file.display()));
    let kept: Vec<Kept> = serde_json::from_slice(&fs::read(file)?).map_err(|error| bad(error.to_string()))?;
    match kept.is_empty() {
        true => Err(bad("there is no key in it".to_owned())),
        false => Ok(kept),
    }
}

/// As a whole or not at all.
fn write(dir: &Path, kept: &[Kept]) -> io::Result<()> {
    let draft = dir.join(format!("{FILE}.new"));
    let _ = fs::remove_file(&draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(&serde_json::to_vec_pretty(kept)?)?;
    file.sync_all()?;
    fs::rename(&draft, dir.join(FILE))?;
    File::open(dir)?.sync_all()
}

fn version(file: &Path) -> Version {
    let metadata = fs::metadata(file).ok()?;
    Some((metadata.ino(), metadata.mtime(), metadata.mtime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn kids(signing: &Signing, now: Instant) -> Vec<String> {
        let published = signing.published(now);
        published["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_key_before_the_newest_is_good_until_what_it_signed_has_run_out() {
        let (dir, now) = (tempfile::tempdir().unwrap(), Clock::default().now());
        assert!(rotate(dir.path(), now, false).is_err(), "there is nothing yet");
        let signing = Signing::kept_in(dir.path()).unwrap();
        let first = signing.signer().kid.clone();
        let token = signing.sign(&json!({ "says": 1 })).unwrap();
        let second = rotate(dir.path(), now, false).unwrap();
        assert_eq!(signing.signer().kid, second);
        assert_eq!(kids(&signing, now), [second.clone(), first]);
        let read = |at| signing.verify::<Value>(&token, at);
        assert!(read(now + ACCESS_TOKEN_LIVES).is_some());
        let over = now + ACCESS_TOKEN_LIVES + GRACE;
        assert!(read(over).is_none());
        assert_eq!(kids(&signing, over), std::slice::from_ref(&second));
        // The next one forgets it, and not the second.
        let third = rotate(dir.path(), over, false).unwrap();
        assert_eq!(kids(&signing, now), [third.clone(), second]);
        let fourth = rotate(dir.path(), over, true).unwrap();
        assert_eq!(kids(&signing, now), [fourth]);
    }

    #[test]
    fn those_who_start_at_once_sign_by_the_same_key() {
        let dir = tempfile::tempdir().unwrap();
        let kids = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| Signing::kept_in(dir.path()).unwrap())).collect();
            starts.into_iter().map(|start| start.join().unwrap().signer().kid.clone()).collect::<Vec<_>>()
        });
        assert!(kids.iter().all(|kid| *kid == kids[0]), "{kids:?}");
        let mode = fs::metadata(dir.path().join(FILE)).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_is_spoilt_stops_the_start_and_no_server_that_runs() {
        let dir = tempfile::tempdir().unwrap();
        let signing = Signing::kept_in(dir.path()).unwrap();
        let kid = signing.signer().kid.clone();
        for spoilt in ["", "[]", "{}", r#"[{"seed":"AAAA","good_until":null}]"#] {
            fs::write(dir.path().join(FILE), spoilt).unwrap();
            assert!(Signing::kept_in(dir.path()).is_err(), "{spoilt}");
            assert_eq!(signing.signer().kid, kid, "{spoilt}");
        }
        fs::remove_file(dir.path().join(FILE)).unwrap();
        assert_eq!(signing.signer().kid, kid);
    }
}
