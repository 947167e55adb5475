//! Subscriptions, by the two algorithms that the GraphQL specification has for them (section 6.2.3). A field opens its
//! *source stream*, once for each subscriber and with their rights; then each *source event* of it is executed, which
//! shows it. A field of the schema does the one or the other, as the scope says (`Scope::event`):
//!
//! ```text
//! match ctx.scope().event::<Event>() {
//!     Some(event) => Response::showing(Batch::new(&event)),
//!     None => ctx.scope().open(source(…)),
//! }
//! ```
//!
//! So between two events a subscription is its source stream and nothing more. And an event that several subscribers are
//! shown in the same words is executed once for all of them: their source streams hear of it from one task (`Groups`),
//! together with what is shown of it. That execution has no viewer. A field that asks for one finds nobody there, and the
//! event is executed for each of them instead: nothing of one subscriber can reach another.

mod groups;

use std::any::Any;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};

pub use groups::{Behind, Groups, Outlet, Tail, Told, Topic};

use crate::answer::Answer;
use crate::context::Loaders;
use crate::error::Result;

/// What a source stream tells of; which type it is, is between the one who opens the stream and the field that shows it.
pub type SourceEvent = Arc<dyn Any + Send + Sync>;

/// What comes of a source stream.
pub enum Delivery {
    /// To be shown to this subscriber.
    Event(SourceEvent),
    /// Shown already, to all who are shown the same.
    Shown(Answer),
}

impl Delivery {
    /// To be shown to this subscriber.
    pub fn of<E: Send + Sync + 'static>(event: E) -> Self {
        Self::Event(Arc::new(event))
    }
}

/// Which part of a subscription is executed.
pub enum Part {
    Opening { sharing: Sharing, show: Arc<Show>, source: Mutex<Option<BoxStream<'static, Result<Delivery>>>> },
    Showing(SourceEvent),
}

impl Part {
    pub fn opening(sharing: Sharing, show: Arc<Show>) -> Self {
        Self::Opening { sharing, show, source: Mutex::default() }
    }

    /// Keeps the source stream for the one who executes.
    pub fn open(&self, opened: impl Stream<Item = Result<Delivery>> + Send + 'static) {
        if let Self::Opening { source, .. } = self {
            *source.lock().unwrap_or_else(PoisonError::into_inner) = Some(opened.boxed());
        }
    }

    /// The source stream that was opened.
    pub fn take_source(&self) -> Option<BoxStream<'static, Result<Delivery>>> {
        match self {
            Self::Opening { source, .. } => source.lock().unwrap_or_else(PoisonError::into_inner).take(),
            Self::Showing(_) => None,
        }
    }
}

/// What a field of a subscription gives: what is shown of an event, or nothing when it opens its source stream.
pub struct Response<T>(Option<Result<T>>);

impl<T> Response<T> {
    pub fn showing(shown: T) -> Self {
        Self(Some(Ok(shown)))
    }
}

impl<T> Default for Response<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Unpin> Stream for Response<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        Poll::Ready(self.0.take())
    }
}

/// In which words a subscription shows events: two with the same shape show the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape(pub Arc<str>);

/// Shows a subscriber an event that is theirs alone, with loaders that others who are shown theirs at the same moment use
/// too: what each of them asks for is then asked for together.
pub type Show = dyn Fn(SourceEvent, Arc<Loaders>) -> BoxFuture<'static, Answer> + Send + Sync;

/// With whom a subscriber may be shown events.
#[derive(Clone, Default)]
pub struct Sharing(Option<(Shape, Arc<ShowToAll>)>);

type ShowToAll = dyn Fn(SourceEvent) -> BoxFuture<'static, Option<Answer>> + Send + Sync;

impl Sharing {
    /// With all of this shape, by an execution without a viewer; `None` where it turns out to need one.
    pub fn by(
        shape: Shape,
        show: impl Fn(SourceEvent) -> BoxFuture<'static, Option<Answer>> + Send + Sync + 'static,
    ) -> Self {
        Self(Some((shape, Arc::new(show))))
    }

    /// `None` where each is shown events by themselves.
    pub fn shape(&self) -> Option<Shape> {
        self.0.as_ref().map(|(shape, _)| shape.clone())
    }

    /// What all are shown of an event; `None` where each has to be shown it by themselves.
    pub async fn show(&self, event: SourceEvent) -> Option<Answer> {
        match &self.0 {
            Some((_, show)) => show(event).await,
            None => None,
        }
    }
}
