//! What a request carries: who asks, and the loaders that batch its look-ups. Resolvers reach it through `Ask`.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_graphql::Context;
use dataloader::BatchFn;
use dataloader::cached::Loader;
use futures_util::Stream;
use futures_util::future::BoxFuture;

use crate::app::App;
use crate::cookie::Jar;
use crate::error::{Code, Error, Result};
use crate::realtime::viewers::Position;
use crate::subscription::{Delivery, Part, Response, Sharing, Show, SourceEvent};
use crate::viewer::Viewer;

/// Bytes of people's texts in one answer: 100 of the longest messages, and a few over.
const TEXTS: usize = 6 * 1024 * 1024;

/// Things of a kind that are looked up by one statement: as many as a sidebar has.
pub const MOST_AT_ONCE: usize = 1_000;

/// One execution: of a request, or of a part of a subscription.
pub struct Scope {
    app: App,
    /// Names the request in answers and in the log.
    pub request_id: String,
    /// Where it comes from: for the list of sessions and for limits by address.
    pub origin: Origin,
    /// The cookie; `None` where an answer has no headers of its own, as on sockets.
    pub jar: Option<Jar>,
    asker: Mutex<Asker>,
    /// Of a subscription.
    part: Option<Part>,
    /// Whether nobody asks, because all who are shown the same do. Then, whether a viewer was asked for.
    lacks_viewer: Option<AtomicBool>,
    /// Bytes of people's texts in the answer so far.
    written: AtomicUsize,
    /// Where viewers' streams stood before anything was looked up.
    stood_at: OnceLock<Position>,
}

/// From where a request comes.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// The address of the peer.
    pub address: Option<IpAddr>,
    /// Whether it certainly comes from this very machine: over loopback, with a localhost Host, through no proxy.
    pub is_local: bool,
}

/// Who asks, and what was loaded for them.
struct Asker {
    viewer: Option<Viewer>,
    loaders: Arc<Loaders>,
}

impl Scope {
    pub fn new(app: App, viewer: Option<Viewer>, request_id: String, origin: Origin) -> Self {
        Self {
            app,
            request_id,
            origin,
            jar: None,
            asker: Mutex::new(Asker { viewer, loaders: Arc::default() }),
            part: None,
            lacks_viewer: None,
            written: AtomicUsize::new(0),
            stood_at: OnceLock::new(),
        }
    }

    /// The same, with a cookie.
    pub fn with_jar(self, jar: Option<Jar>) -> Self {
        Self { jar, ..self }
    }

    /// For a part of the subscription that was asked for here. Nothing is loaded yet: what was loaded for one event is
    /// stale in the next.
    pub fn part_of_it(&self, part: Part) -> Self {
        Self { part: Some(part), ..Self::new(self.app.clone(), self.viewer(), self.request_id.clone(), self.origin) }
    }

    /// The same, with what others look up at the same moment.
    pub fn with_loaders(self, loaders: Arc<Loaders>) -> Self {
        self.asker().loaders = loaders;
        self
    }

    /// For showing an event to all who are shown the same.
    pub fn for_all(app: App, request_id: String, event: SourceEvent) -> Self {
        let origin = Origin { address: None, is_local: false };
        let lacks_viewer = Some(AtomicBool::new(false));
        Self { part: Some(Part::Showing(event)), lacks_viewer, ..Self::new(app, None, request_id, origin) }
    }

    /// Whether a viewer was asked for where there is none: what came of it is for nobody.
    pub fn missed_viewer(&self) -> bool {
        self.lacks_viewer.as_ref().is_some_and(|missed| missed.load(Ordering::Relaxed))
    }

    /// The event that is to be shown; `None` where the source stream is to be opened.
    pub fn event<E: Send + Sync + 'static>(&self) -> Option<Arc<E>> {
        match self.part.as_ref()? {
            Part::Showing(event) => event.clone().downcast().ok(),
            Part::Opening { .. } => None,
        }
    }

    /// Opens the source stream of a subscription.
    pub fn open<T>(&self, source: impl Stream<Item = Result<Delivery>> + Send + 'static) -> Response<T> {
        if let Some(part) = &self.part {
            part.open(source);
        }
        Response::default()
    }

    /// With whom the subscriber may be shown what the source stream tells of.
    pub fn sharing(&self) -> Sharing {
        match &self.part {
            Some(Part::Opening { sharing, .. }) => sharing.clone(),
            _ => Sharing::default(),
        }
    }

    /// How the subscriber is shown an event by whoever does it for many.
    pub fn show(&self) -> Option<Arc<Show>> {
        match &self.part {
            Some(Part::Opening { show, .. }) => Some(show.clone()),
            _ => None,
        }
    }

    /// The part of a subscription that this is for.
    pub fn part(&self) -> Option<&Part> {
        self.part.as_ref()
    }

    pub fn app(&self) -> &App {
        &self.app
    }

    /// Who asks; changes within a request that signs in or out.
    pub fn viewer(&self) -> Option<Viewer> {
        if let Some(missed) = &self.lacks_viewer {
            missed.store(true, Ordering::Relaxed);
        }
        self.asker().viewer
    }

    /// Goes on as somebody else, with nothing loaded: what the loaders hold was looked up for who asked before.
    pub fn replace_viewer(&self, viewer: Option<Viewer>) {
        *self.asker() = Asker { viewer, loaders: Arc::default() };
    }

    /// Forgets what was loaded: after a change.
    pub fn forget_loaded(&self) {
        self.written.store(0, Ordering::Relaxed);
        self.asker().loaders = Arc::default();
    }

    /// Counts a text that goes into the answer: aliases and pages of long messages could make it as large as they like.
    pub fn write<T: AsRef<str>>(&self, text: T) -> Result<T> {
        let bytes = text.as_ref().len();
        match self.written.fetch_add(bytes, Ordering::Relaxed) + bytes <= TEXTS {
            true => Ok(text),
            false => Err(Error::new(Code::OperationTooComplex, "The answer is too long").with("limit", TEXTS)),
        }
    }

    /// Looks one thing up, together with all others of its kind that the request wants now. Boxed: the compiler cannot
    /// see that the future of a generic resolver is `Send` otherwise.
    pub fn load<L: Load>(&self, key: L::Key) -> BoxFuture<'_, Result<Option<Arc<L::Value>>>> {
        let loaders = self.asker().loaders.clone();
        Box::pin(async move {
            let loader = loaders.of::<L>(&self.app);
            // A batch is lost when the future that led it is dropped, as happens to the siblings of a failed field;
            // asking again leads a new one.
            match loader.try_load(key.clone()).await {
                Ok(found) => found,
                Err(_) => loader.try_load(key).await.unwrap_or_else(|lost| Err(Error::internal(lost))),
            }
        })
    }

    /// Keeps what was found in another way, so that it is not looked up again.
    pub async fn remember<L: Load>(&self, found: Vec<(L::Key, Arc<L::Value>)>) {
        let loaders = self.asker().loaders.clone();
        let found = found.into_iter().map(|(key, value)| (key, Ok(Some(value))));
        loaders.of::<L>(&self.app).prime_many(found).await;
    }

    /// Where viewers' streams stood before anything was looked up, if somebody has said so.
    pub fn stood_at(&self) -> Option<Position> {
        self.stood_at.get().copied()
    }

    /// Says where they stand, before anything is looked up.
    pub fn stand_at(&self, position: Position) {
        let _ = self.stood_at.set(position);
    }

    fn asker(&self) -> std::sync::MutexGuard<'_, Asker> {
        self.asker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What resolvers ask the request for.
pub trait Ask {
    fn scope(&self) -> &Scope;

    fn app(&self) -> &App {
        self.scope().app()
    }

    /// Who asks, or UNAUTHENTICATED.
    fn viewer(&self) -> Result<Viewer> {
        self.scope().viewer().ok_or_else(Error::unauthenticated)
    }

    /// Looks one thing up: see `Scope::load`.
    fn load<L: Load>(&self, key: L::Key) -> BoxFuture<'_, Result<Option<Arc<L::Value>>>> {
        self.scope().load::<L>(key)
    }
}

impl Ask for Context<'_> {
    fn scope(&self) -> &Scope {
        self.data_unchecked::<Arc<Scope>>()
    }
}

/// How one kind of thing is looked up, many at once. An answer depends on its key alone, so a key holds the viewer too
/// where it matters.
pub trait Load: 'static {
    type Key: Clone + Eq + Hash + std::fmt::Debug + Send + Sync + 'static;
    type Value: Send + Sync + 'static;

    /// All that exist of `keys`.
    fn load(app: &App, keys: &[Self::Key]) -> impl Future<Output = Result<HashMap<Self::Key, Self::Value>>> + Send;
}

type Loaded<T> = Result<Option<Arc<T>>>;
type LoaderOf<L> = Loader<<L as Load>::Key, Loaded<<L as Load>::Value>, Batch<L>>;

/// The loaders of one request, made when first used; or of several that are executed together, by one task and for one
/// moment. Never shared further: they cache, and a loader runs one batch at a time.
#[derive(Default)]
pub struct Loaders(Mutex<HashMap<TypeId, Box<dyn Any + Send + Sync>>>);

impl Loaders {
    fn of<L: Load>(&self, app: &App) -> LoaderOf<L> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(TypeId::of::<L>())
            .or_insert_with(|| {
                let batch = Batch { app: app.clone(), kind: std::marker::PhantomData::<fn() -> L> };
                // Three yields let every resolver of a list ask before the batch leaves; ten cost a quarter more CPU.
                let loader: LoaderOf<L> = Loader::new(batch).with_yield_count(3).with_max_batch_size(MOST_AT_ONCE);
                Box::new(loader)
            })
            .downcast_ref::<LoaderOf<L>>()
            .expect("filed under its own type")
            .clone()
    }
}

struct Batch<L> {
    app: App,
    kind: std::marker::PhantomData<fn() -> L>,
}

impl<L: Load> BatchFn<L::Key, Loaded<L::Value>> for Batch<L> {
    async fn load(&mut self, keys: &[L::Key]) -> HashMap<L::Key, Loaded<L::Value>> {
        // Every key gets an answer: the data loader takes a missing one for a fault.
        match L::load(&self.app, keys).await {
            Ok(mut found) => keys.iter().map(|key| (key.clone(), Ok(found.remove(key).map(Arc::new)))).collect(),
            Err(error) => keys.iter().map(|key| (key.clone(), Err(error.clone()))).collect(),
        }
    }
}
