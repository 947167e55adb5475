//! Two things by turns, and how long each took.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

/// Turns of each of a pair that count.
const ROUNDS: usize = 5;
/// How long a turn lasts.
pub const TURN: Duration = Duration::from_secs(1);

/// What both brought, round by round, ours first. Who begins changes from round to round.
pub async fn by_turns<T>(mut ours: impl AsyncFnMut() -> T, mut limit: impl AsyncFnMut() -> T) -> Vec<(T, T)> {
    let mut rounds = Vec::new();
    for round in 0..=ROUNDS {
        let both = if round % 2 == 0 {
            let ours = ours().await;
            (ours, limit().await)
        } else {
            let limit = limit().await;
            (ours().await, limit)
        };
        // The first one fills caches and is not counted.
        if round > 0 {
            rounds.push(both);
        }
    }
    rounds
}

/// How long each deed of a turn took.
pub struct Took {
    each: Vec<Duration>,
    turn: Duration,
}

/// All of them do it again and again until the turn is over.
pub async fn turn<W>(workers: &mut [W], turn: Duration, deed: impl AsyncFn(&mut W)) -> Took {
    let begin = Instant::now();
    let each = join_all(workers.iter_mut().map(async |worker| {
        let mut took = Vec::new();
        while begin.elapsed() < turn {
            let begin = Instant::now();
            deed(worker).await;
            took.push(begin.elapsed());
        }
        took
    }));
    let mut each = each.await.concat();
    each.sort();
    Took { each, turn: begin.elapsed() }
}

impl Took {
    /// Done by all together.
    pub fn per_second(&self) -> f64 {
        self.each.len() as f64 / self.turn.as_secs_f64()
    }

    /// Milliseconds that so many of a hundred did not exceed.
    pub fn percentile(&self, percent: usize) -> f64 {
        self.each[(self.each.len() * percent / 100).min(self.each.len() - 1)].as_secs_f64() * 1e3
    }
}

/// A figure of each turn.
pub fn of<T>(rounds: &[(T, T)], figure: impl Fn(&T) -> f64) -> impl Iterator<Item = (f64, f64)> {
    rounds.iter().map(move |(ours, limit)| (figure(ours), figure(limit)))
}
