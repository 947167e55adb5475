//! Documents: parsed and measured once for all who send the same, and found again by their name.
//!
//! A document is kept when it has run, so what is kept is valid, and can then be asked for by its SHA-256 alone, as Apollo's
//! clients do ("automatic persisted queries"). Its variables are judged on each request.
//!
//! Anybody may send documents without end. The cache is bounded in bytes, and so in number, and a flood of documents that
//! come once does not push out those that come often: that is why it is no plain LRU. quick_cache was taken for this
//! policy, and for asking nothing of the rest: no thread, no timer, a read lock for a hit.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use async_graphql::Positioned;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, Selection};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::answer::Unfit;
use super::guard::{self, Measured};
use super::plan::Plan;
use crate::answer::Answer;
use crate::config::{self, BadValue};
use crate::error::{Code, Error, Result};

/// Of a document's text.
const TEXT: usize = 64 * 1024;
/// What kept documents take, by an estimate that is more than they do.
const KEPT: u64 = 64 * 1024 * 1024;
/// What each takes at least, so that their number is bounded too, by 4,096.
const AT_LEAST: u64 = KEPT / 4096;
/// Parts of the cache with a lock each; the largest document, of 20,000 fields, has to fit into one.
const PARTS: usize = 4;
/// What a node of a document takes, with its name.
const NODE: u64 = (size_of::<Positioned<Selection>>() + 64) as u64;
/// The field that says where viewers' streams stand.
const EVENTS_CURSOR: &str = "eventsCursor";
/// The only version of persisted queries that there is.
const VERSION: u32 = 1;

/// A document that may be run.
pub struct Document {
    pub tree: ExecutableDocument,
    pub measured: Measured,
    pub digest: Digest,
    /// How its subscriptions are executed; planned when the first is opened.
    pub plan: OnceLock<Plan>,
    /// Whether it may ask where viewers' streams stand, which is to be known before anything else of the answer.
    pub asks_where_streams_stand: bool,
    /// Whether it turned out to depend on who asks where the schema did not say so.
    pub is_private: AtomicBool,
    weight: u64,
}

/// SHA-256 of a text.
pub type Digest = [u8; 32];

/// What a client asks to run.
pub enum Asked {
    Sent(String, Option<PersistedQuery>),
    Named(PersistedQuery),
}

/// The name of a document, as `extensions.persistedQuery` has it: the SHA-256 of its text in hexadecimal, or of a trusted
/// document whatever its manifest calls it.
#[derive(Deserialize)]
pub struct PersistedQuery {
    version: u32,
    #[serde(rename = "sha256Hash")]
    id: String,
}

/// Those that the one who runs the server has named, and what others may be.
#[derive(Default)]
pub struct Trusted {
    documents: HashMap<Digest, Arc<Document>>,
    names: HashMap<String, Digest>,
    /// Whether all others are refused.
    excludes_others: bool,
    /// Whether those that ask for the schema are, whoever has named them.
    hides_schema: bool,
}

pub struct Documents {
    trusted: Trusted,
    kept: Cache<Digest, Arc<Document>, ByWeight>,
}

#[derive(Clone)]
struct ByWeight;

impl Weighter<Digest, Arc<Document>> for ByWeight {
    fn weight(&self, _: &Digest, document: &Arc<Document>) -> u64 {
        document.weight.max(AT_LEAST)
    }
}

impl Documents {
    pub fn new(trusted: Trusted) -> Self {
        let options = OptionsBuilder::new()
            .weight_capacity(KEPT)
            .estimated_items_capacity((KEPT / AT_LEAST) as usize)
            .shards(PARTS)
            .build()
            .expect("both capacities are set");
        let kept = Cache::with_options(options, ByWeight, DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self { trusted, kept }
    }

    /// The document that is meant, and whether it is to be kept when it has run.
    pub fn find(&self, asked: &Asked) -> Result<(Arc<Document>, bool), Unfit> {
        let found = self.find_or_parse(asked)?;
        match self.trusted.hides_schema && found.0.measured.introspects() {
            true => Err(introspection_is_off().into()),
            false => Ok(found),
        }
    }

    fn find_or_parse(&self, asked: &Asked) -> Result<(Arc<Document>, bool), Unfit> {
        let (text, name) = match asked {
            Asked::Named(name) => return Ok((self.named(name)?, false)),
            Asked::Sent(text, name) => (text, name),
        };
        admit_length(text)?;
        let digest = digest(text);
        if let Some(name) = name {
            name.check_version()?;
            if self.trusted.digest_of(name) != Some(digest) {
                let message = "The hash is not the SHA-256 of the document, in hexadecimal";
                return Err(Error::new(Code::BadRequest, message).into());
            }
        }
        match self.known(&digest) {
            Some(found) => Ok((found, false)),
            None if self.trusted.excludes_others => Err(not_allowed().into()),
            None => Ok((Arc::new(Document::new(text, digest)?), true)),
        }
    }

    fn named(&self, name: &PersistedQuery) -> Result<Arc<Document>> {
        name.check_version()?;
        match self.trusted.digest_of(name).and_then(|digest| self.known(&digest)) {
            Some(found) => Ok(found),
            None if self.trusted.excludes_others => Err(not_allowed()),
            // Apollo's clients know it by the code or by this very text, and send the document.
            None => Err(Error::new(Code::PersistedQueryNotFound, "PersistedQueryNotFound")),
        }
    }

    fn known(&self, digest: &Digest) -> Option<Arc<Document>> {
        self.trusted.documents.get(digest).cloned().or_else(|| self.kept.get(digest))
    }

    /// Keeps a document that has run: a request error may say that it is not valid.
    pub fn keep_if_valid(&self, document: &Arc<Document>, is_new: bool, answer: &Answer) {
        if let (true, Answer::Executed(_)) = (is_new, answer) {
            self.kept.insert(document.digest, document.clone());
        }
    }
}

impl Document {
    fn new(text: &str, digest: Digest) -> Result<Self, Unfit> {
        guard::admit_text(text)?;
        let tree = parse_query(text)?;
        let measured = guard::measure(&tree)?;
        // Unlike what the parser made, a clone has no room to spare.
        let (tree, weight) = (tree.clone(), weight(text));
        Ok(Self {
            tree,
            measured,
            digest,
            plan: OnceLock::new(),
            asks_where_streams_stand: text.contains(EVENTS_CURSOR),
            is_private: AtomicBool::new(false),
            weight,
        })
    }
}

impl PersistedQuery {
    /// By `documentId`, as the draft of GraphQL over HTTP has it, where a hash may say what it is.
    pub fn named(id: String) -> Self {
        Self { version: VERSION, id: id.strip_prefix("sha256:").map(str::to_owned).unwrap_or(id) }
    }

    fn check_version(&self) -> Result<()> {
        match self.version {
            VERSION => Ok(()),
            _ => Err(Error::new(Code::BadRequest, "Persisted queries have version 1")),
        }
    }
}

impl Trusted {
    /// What the configuration says. Whatever is wrong with the file stops the start.
    pub fn load(config: &config::Documents) -> Result<Self, BadValue> {
        let (excludes_others, hides_schema) = (config.only_trusted, !config.introspection);
        let mut trusted = Self { excludes_others, hides_schema, ..Self::default() };
        if let Some(path) = &config.trusted {
            let unusable = |why| BadValue(format!("TRUSTED_DOCUMENTS: {}: {why}", path.display()));
            trusted.read(path).map_err(unusable)?;
        }
        Ok(trusted)
    }

    fn read(&mut self, path: &Path) -> Result<(), String> {
        let file = fs::read(path).map_err(|error| error.to_string())?;
        let manifest = serde_json::from_slice(&file).map_err(|error| format!("not JSON: {error}"))?;
        for (id, text) in entries(manifest)? {
            self.add(&id, &text).map_err(|why| format!("{id}: {why}"))?;
        }
        Ok(())
    }

    fn add(&mut self, id: &str, text: &str) -> Result<(), String> {
        let digest = digest(text);
        if self.names.insert(id.to_owned(), digest).is_some_and(|other| other != digest) {
            return Err("stands there twice, with different documents".to_owned());
        }
        if let Entry::Vacant(place) = self.documents.entry(digest) {
            let fit = admit_length(text).map_err(Unfit::from).and_then(|()| Document::new(text, digest));
            let document = fit.map_err(|unfit| unfit.error.message().to_owned())?;
            place.insert(Arc::new(document));
        }
        Ok(())
    }

    fn digest_of(&self, name: &PersistedQuery) -> Option<Digest> {
        self.names.get(&name.id).copied().or_else(|| from_hex(&name.id))
    }
}

/// Ids and texts of a manifest: Apollo's ("apollo-persisted-query-manifest", written by its tools for the web, Kotlin and
/// iOS), or an object of texts by their ids, as GraphQL Code Generator and Relay write it.
fn entries(manifest: Value) -> Result<Vec<(String, String)>, String> {
    #[derive(Deserialize)]
    struct Apollo {
        operations: Vec<Operation>,
    }
    #[derive(Deserialize)]
    struct Operation {
        id: String,
        body: String,
    }
    let is_apollo = manifest.get("operations").is_some_and(Value::is_array);
    if is_apollo {
        let manifest: Apollo = serde_json::from_value(manifest).map_err(|error| error.to_string())?;
        return Ok(manifest.operations.into_iter().map(|operation| (operation.id, operation.body)).collect());
    }
    let texts: HashMap<String, String> = serde_json::from_value(manifest)
        .map_err(|_| "wants Apollo's persisted query manifest, or an object of texts by their ids".to_owned())?;
    Ok(texts.into_iter().collect())
}

fn admit_length(text: &str) -> Result<()> {
    if text.len() <= TEXT {
        return Ok(());
    }
    let error = Error::new(Code::OperationTooComplex, format!("The document is longer than {TEXT} bytes"));
    Err(error.with("cost", text.len()).with("limit", TEXT))
}

fn not_allowed() -> Error {
    Error::new(Code::DocumentNotAllowed, "This server runs only operations that it knows (TRUSTED_DOCUMENTS_ONLY)")
}

fn introspection_is_off() -> Error {
    Error::new(Code::GraphqlValidationFailed, "This server does not show its schema (INTROSPECTION)")
}

fn digest(text: &str) -> Digest {
    Sha256::digest(text).into()
}

/// A digest in hexadecimal, of either case.
fn from_hex(text: &str) -> Option<Digest> {
    let digits = text.as_bytes();
    let mut digest = Digest::default();
    if digits.len() != 2 * digest.len() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}

/// More than a document takes: each of its nodes has a word, a quote or an opening bracket of its own in the text.
fn weight(text: &str) -> u64 {
    let mut nodes = 0;
    let mut is_in_word = false;
    for byte in text.bytes() {
        let is_word = byte.is_ascii_alphanumeric() || byte == b'_';
        nodes += u64::from(is_word && !is_in_word || matches!(byte, b'"' | b'{' | b'['));
        is_in_word = is_word;
    }
    nodes * NODE + text.len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(documents: &Documents, text: &str) {
        let asked = Asked::Sent(text.to_owned(), None);
        let (document, is_new) = documents.find(&asked).ok().unwrap();
        documents.keep_if_valid(&document, is_new, &Answer::Executed(Default::default()));
    }

    fn is_known(documents: &Documents, text: &str) -> bool {
        documents.known(&digest(text)).is_some()
    }

    #[test]
    fn ten_thousand_documents_do_not_grow_the_cache_or_push_out_what_is_used() {
        let documents = Documents::new(Trusted::default());
        let used = "query Used { server { name } }";
        keep(&documents, used);
        for at in 0..10_000 {
            keep(&documents, &format!("query Once{at} {{ server {{ name }} }}"));
            if at % 100 == 0 {
                assert!(is_known(&documents, used), "{at}");
            }
        }
        assert!(documents.kept.weight() <= KEPT);
        assert!(documents.kept.len() <= 4096, "{}", documents.kept.len());
        assert!(documents.kept.len() > 2000, "{}", documents.kept.len());
        // Large ones push out many, and are no more in bytes.
        let fields = "name ".repeat(1_900);
        for at in 0..200 {
            keep(&documents, &format!("query Large{at} {{ server {{ {fields} }} }}"));
            assert!(is_known(&documents, used), "{at}");
        }
        assert!(documents.kept.weight() <= KEPT);
        assert!(documents.kept.len() < 4000, "{}", documents.kept.len());
    }

    #[test]
    fn a_document_weighs_more_than_its_fields_take() {
        let text = format!("{{ {} }}", "a ".repeat(1_000));
        assert!(weight(&text) > 1_000 * size_of::<Positioned<Selection>>() as u64);
        assert!(weight(&text) < KEPT / PARTS as u64);
    }

    #[test]
    fn hashes_are_read_in_either_case() {
        let text = "{ a }";
        let hex: String = digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(from_hex(&hex), Some(digest(text)));
        assert_eq!(from_hex(&hex.to_uppercase()), Some(digest(text)));
        for wrong in ["", "ab", &hex[1..], &format!("{}+1", &hex[2..]), &"é".repeat(32)] {
            assert_eq!(from_hex(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn manifests_are_read_as_clients_write_them() {
        let apollo = serde_json::json!({ "format": "apollo-persisted-query-manifest", "version": 1, "operations": [
            { "id": "a", "name": "A", "type": "query", "body": "query A { a }" }] });
        assert_eq!(entries(apollo), Ok(vec![("a".into(), "query A { a }".into())]));
        let plain = serde_json::json!({ "a": "query A { a }" });
        assert_eq!(entries(plain), Ok(vec![("a".into(), "query A { a }".into())]));
        for wrong in [serde_json::json!([]), serde_json::json!({ "a": 7 }), serde_json::json!({ "operations": [{}] })] {
            assert!(entries(wrong).is_err());
        }
    }
}
