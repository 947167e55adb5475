//! What an import shows while it runs: a bar on a terminal, a line every few seconds elsewhere. All of it goes to
//! standard error.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};

use super::{Input, News, Summary};

/// Between two lines where there is no terminal.
const EVERY: Duration = Duration::from_secs(3);

/// Shows news. Shares are of the file's bytes, so that its lines need not be counted first.
pub struct Progress {
    began: Instant,
    length: Option<u64>,
    shown: Shown,
}

enum Shown {
    Bar(ProgressBar),
    Lines { last: Instant },
}

impl Progress {
    pub fn of(input: &Input) -> Self {
        let began = Instant::now();
        let shown = match std::io::stderr().is_terminal() {
            true => Shown::Bar(bar(input.length)),
            false => Shown::Lines { last: began },
        };
        Self { began, length: input.length, shown }
    }

    pub fn show(&mut self, news: News<'_>) {
        match (news, &mut self.shown) {
            (News::Bad(bad), Shown::Bar(bar)) => {
                bar.suspend(|| eprintln!("line {}: {}", bad.number, bad.reason));
            }
            (News::Bad(bad), Shown::Lines { .. }) => eprintln!("line {}: {}", bad.number, bad.reason),
            (News::Written { done, summary }, Shown::Bar(bar)) => {
                bar.set_message(counted(summary, self.began.elapsed()));
                bar.set_position(done);
            }
            (News::Written { done, summary }, Shown::Lines { last }) if last.elapsed() >= EVERY => {
                *last = Instant::now();
                let elapsed = self.began.elapsed();
                let share = self.length.filter(|&length| length > 0).map(|length| done as f64 / length as f64);
                match share {
                    Some(share) if share > 0.0 => {
                        let left = elapsed.mul_f64((1.0 / share - 1.0).max(0.0));
                        let left = HumanDuration(Duration::from_secs(left.as_secs()));
                        eprintln!("{:.0} %, {}, {left} left", share * 100.0, counted(summary, elapsed));
                    }
                    _ => eprintln!("{}", counted(summary, elapsed)),
                }
            }
            (News::Written { .. }, Shown::Lines { .. }) => {}
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }

    /// What came of it, in a sentence or two.
    pub fn summary(&self, summary: &Summary) -> String {
        let mut text = format!(
            "{}, {} and {} from {} in {:.1} s.",
            several(summary.messages, "message"),
            several(summary.people, "new person"),
            several(summary.channels, "new channel"),
            several(summary.lines, "line"),
            self.began.elapsed().as_secs_f64(),
        );
        for (number, one, what) in [
            (summary.known, "line", "here already"),
            (summary.left_without_a_seat, "departure", "of somebody who was not there"),
            (summary.unanswered, "answer", "to a message that is not here"),
            (summary.bad, "line", "skipped: see above"),
        ] {
            if number > 0 {
                let were = if number == 1 { "was" } else { "were" };
                text.push_str(&format!(" {} {were} {what}.", several(number, one)));
            }
        }
        text
    }
}

fn several(number: usize, one: &str) -> String {
    match (number, one) {
        (1, one) => format!("1 {one}"),
        (_, "new person") => format!("{} new people", HumanCount(number as u64)),
        (_, one) => format!("{} {one}s", HumanCount(number as u64)),
    }
}

fn bar(length: Option<u64>) -> ProgressBar {
    let (bar, template) = match length {
        Some(length) => (ProgressBar::new(length), "{bar:30} {percent:>3} %  {msg}, {eta} left"),
        None => (ProgressBar::no_length(), "{spinner} {msg}, for {elapsed}"),
    };
    bar.enable_steady_tick(Duration::from_millis(200));
    bar.set_message("0 lines");
    bar.with_style(ProgressStyle::with_template(template).expect("the template is ours"))
}

fn counted(summary: &Summary, elapsed: Duration) -> String {
    let rate = summary.lines as f64 / elapsed.as_secs_f64().max(0.001);
    format!("{} lines, {} a second", HumanCount(summary.lines as u64), HumanCount(rate as u64))
}
