//! What many want at the same moment is done together: wishes that come while others are being granted wait for them, and
//! then go at once. There is no timer, so nobody who is alone waits, and the more there are the more one commit carries.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::app::App;
use crate::error::{Error, Result};

/// Wishes granted at once.
const TOGETHER: usize = 256;
/// Wishes of one kind under way; one more is told UNAVAILABLE.
const WAITING: usize = 4_096;
/// Lines of one kind at most: with more of them each batch is smaller, and all together are slower.
const LINES: usize = 4;

/// A wish of a kind that is granted together.
pub trait Gather: Sized + Send + 'static {
    type Answer: Send + 'static;

    /// Those with the same one are granted in the order in which they came.
    fn line(&self) -> impl Hash;

    /// Grants wishes, at least one, in their order. Each is answered through its own `Asked`, now or later.
    fn grant(app: &App, asked: Vec<Asked<Self>>) -> impl Future<Output = ()> + Send;
}

/// A wish, and where its answer goes.
pub struct Asked<W: Gather> {
    pub wish: W,
    answer: oneshot::Sender<Result<W::Answer>>,
    /// Of those that wait.
    _place: OwnedSemaphorePermit,
}

impl<W: Gather> Asked<W> {
    pub fn answer(self, answer: Result<W::Answer>) {
        // Who does not wait for it any more is not told.
        let _ = self.answer.send(answer);
    }
}

/// Makes a wish, and waits for what becomes of it.
pub async fn gather<W: Gather>(app: &App, wish: W) -> Result<W::Answer> {
    let answer = app.lines.of::<W>().join(app, wish)?;
    answer.await.unwrap_or_else(|_| Err(Error::internal("a wish was dropped without an answer")))
}

/// The lines of all kinds, made when first used.
#[derive(Default)]
pub struct Lines(Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl Lines {
    fn of<W: Gather>(&self) -> Arc<LinesOf<W>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = all.entry(TypeId::of::<W>()).or_insert_with(|| Arc::new(LinesOf::<W>::new())).clone();
        lines.downcast().unwrap_or_else(|_| unreachable!("filed under its own type"))
    }
}

struct LinesOf<W: Gather> {
    lines: Vec<Arc<Mutex<Line<W>>>>,
    places: Arc<Semaphore>,
}

struct Line<W: Gather> {
    waiting: Vec<Asked<W>>,
    /// Whether somebody grants those that wait.
    is_led: bool,
}

impl<W: Gather> LinesOf<W> {
    fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let line = || Arc::new(Mutex::new(Line { waiting: Vec::new(), is_led: false }));
        let lines = std::iter::repeat_with(line).take(cores.clamp(1, LINES)).collect();
        Self { lines, places: Arc::new(Semaphore::new(WAITING)) }
    }

    fn join(&self, app: &App, wish: W) -> Result<oneshot::Receiver<Result<W::Answer>>> {
        let place = self.places.clone().try_acquire_owned();
        let place = place.map_err(|_| Error::unavailable("too many wishes wait"))?;
        let mut hasher = DefaultHasher::new();
        wish.line().hash(&mut hasher);
        let line = &self.lines[hasher.finish() as usize % self.lines.len()];
        let (sender, answer) = oneshot::channel();
        let mut open = locked(line);
        open.waiting.push(Asked { wish, answer: sender, _place: place });
        if !std::mem::replace(&mut open.is_led, true) {
            tokio::spawn(lead(app.clone(), line.clone()));
        }
        Ok(answer)
    }
}

/// Grants what waits until nothing does. A task of its own: who asks may hang up.
async fn lead<W: Gather>(app: App, line: Arc<Mutex<Line<W>>>) {
    while let Some(asked) = next(&line) {
        // Whoever was in a batch that panicked is told INTERNAL, and the line goes on.
        let _ = AssertUnwindSafe(W::grant(&app, asked)).catch_unwind().await;
    }
}

fn next<W: Gather>(line: &Mutex<Line<W>>) -> Option<Vec<Asked<W>>> {
    let mut line = locked(line);
    let together = line.waiting.len().min(TOGETHER);
    line.is_led = together > 0;
    line.is_led.then(|| line.waiting.drain(..together).collect())
}

fn locked<W: Gather>(line: &Mutex<Line<W>>) -> MutexGuard<'_, Line<W>> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}
