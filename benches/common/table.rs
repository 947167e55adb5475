//! The table, line by line.

/// What a figure is to reach.
#[derive(Clone, Copy)]
pub enum Aim {
    /// The ratio, or more.
    AtLeast(f64),
    /// The ratio, or less.
    AtMost(f64),
    /// Ours, whatever the limit does.
    OursAtMost(f64),
    /// It is only told.
    Nothing,
}

impl Aim {
    fn text(self) -> String {
        match self {
            Self::AtLeast(aim) => format!("≥ {aim:.2}"),
            Self::AtMost(aim) => format!("≤ {aim:.2}"),
            Self::OursAtMost(aim) => format!("ours ≤ {aim}"),
            Self::Nothing => String::new(),
        }
    }

    fn is_reached(self, ours: f64, ratio: f64) -> bool {
        match self {
            Self::AtLeast(aim) => ratio >= aim,
            Self::AtMost(aim) => ratio <= aim,
            Self::OursAtMost(aim) => ours <= aim,
            Self::Nothing => true,
        }
    }
}

pub fn head() {
    println!("{:<70} {:>7} {:>7} {:>7} {:>6}  to reach", "", "unit", "ours", "limit", "ratio");
}

/// A line: the medians of what the turns of a pair brought, ours first, and of their ratios.
pub fn row(what: &str, unit: &str, turns: impl IntoIterator<Item = (f64, f64)>, aim: Aim) {
    let turns: Vec<(f64, f64)> = turns.into_iter().collect();
    let ratio = median(turns.iter().map(|(ours, limit)| ours / limit));
    let (ours, limit): (Vec<f64>, Vec<f64>) = turns.into_iter().unzip();
    let (ours, limit) = (median(ours), median(limit));
    let missed = if aim.is_reached(ours, ratio) { "" } else { "  MISSED" };
    let (ours_text, limit) = (rounded(ours), rounded(limit));
    println!("{what:<70} {unit:>7} {ours_text:>7} {limit:>7} {ratio:>6.2}  {}{missed}", aim.text());
}

/// A line that cannot be measured here.
pub fn left_out(what: &str, why: &str) {
    println!("{what:<70} left out: {why}");
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// To three digits or so.
fn rounded(value: f64) -> String {
    match value {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
