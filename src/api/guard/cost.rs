//! What an operation makes, as a sum in which the sizes of pages are left open where variables say them.

use async_graphql::{Name, Value as ConstValue, Variables};
use async_graphql_value::Value;

use super::weights::{LARGEST_PAGE, USUAL_PAGE};

/// Objects that are made, pages counted by their size.
#[derive(Clone, Default)]
pub(super) struct Cost {
    /// Those that the text itself says.
    pub(super) fixed: u32,
    pub(super) varying: Vec<Varying>,
}

#[derive(Clone)]
pub(super) enum Varying {
    /// By its place among the fragments.
    Fragment(usize),
    Below {
        below: Cost,
        elements: Elements,
        own: Own,
    },
}

/// What a field adds to what is below it.
#[derive(Clone, Copy)]
pub(super) enum Own {
    /// So many, however many elements it has.
    Beside(u32),
    /// So many with each of its elements.
    Each(u32),
    /// One, unless what is below counts itself.
    Otherwise,
}

/// How often what is below a field is made.
#[derive(Clone)]
pub(super) enum Elements {
    Fixed(u32),
    /// The larger one, where both are given.
    Page(Number, Number),
    /// Two sides together.
    Around(Number, Number),
    /// As many as a list has.
    Each(Name),
    /// One for each four.
    Quarter(Number),
}

#[derive(Clone)]
pub(super) enum Number {
    Fixed(u32),
    Variable(Name),
}

impl Cost {
    pub(super) fn fixed(fixed: u32) -> Self {
        Self { fixed, varying: Vec::new() }
    }

    /// What it comes to, given what the fragments come to.
    pub(super) fn with(&self, variables: &Variables, fragments: &[u32]) -> u32 {
        self.varying.iter().fold(self.fixed, |sum, varying| {
            sum.saturating_add(match varying {
                Varying::Fragment(at) => fragments[*at],
                Varying::Below { below, elements, own } => {
                    own.with(below.with(variables, fragments), elements.with(variables))
                }
            })
        })
    }

    /// Of a field, given what is below it.
    pub(super) fn of(below: Cost, elements: Elements, own: Own) -> Self {
        match elements {
            Elements::Fixed(elements) if below.varying.is_empty() => Self::fixed(own.with(below.fixed, elements)),
            elements => Self { fixed: 0, varying: vec![Varying::Below { below, elements, own }] },
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.fixed = self.fixed.saturating_add(other.fixed);
        self.varying.extend(other.varying);
    }
}

impl Own {
    pub(super) fn with(self, below: u32, elements: u32) -> u32 {
        match self {
            Self::Beside(own) => below.saturating_mul(elements).saturating_add(own),
            Self::Each(own) => below.saturating_add(own).saturating_mul(elements),
            Self::Otherwise => below.saturating_mul(elements).saturating_add(u32::from(below == 0)),
        }
    }
}

impl Elements {
    pub(super) fn with(&self, variables: &Variables) -> u32 {
        match self {
            Self::Fixed(elements) => *elements,
            Self::Page(first, last) => first.with(variables).max(last.with(variables)),
            Self::Around(before, after) => {
                before.with(variables).saturating_add(after.with(variables)).min(LARGEST_PAGE)
            }
            Self::Quarter(number) => number.with(variables).div_ceil(4).max(1),
            Self::Each(name) => match variables.get(name) {
                Some(ConstValue::List(values)) => values.len() as u32,
                _ => LARGEST_PAGE,
            },
        }
    }

    /// Those that depend on no variable are counted at once.
    pub(super) fn settled(self) -> Self {
        match self {
            Self::Page(Number::Fixed(_), Number::Fixed(_))
            | Self::Around(Number::Fixed(_), Number::Fixed(_))
            | Self::Quarter(Number::Fixed(_)) => Self::Fixed(self.with(&Variables::default())),
            other => other,
        }
    }
}

impl Number {
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Number(number) => Self::Fixed(at_most_a_page(number.as_u64())),
            Value::Variable(name) => Self::Variable(name.clone()),
            Value::Null => Self::Fixed(USUAL_PAGE),
            _ => Self::Fixed(LARGEST_PAGE),
        }
    }

    pub(super) fn with(&self, variables: &Variables) -> u32 {
        match self {
            Self::Fixed(number) => *number,
            Self::Variable(name) => match variables.get(name) {
                Some(ConstValue::Number(number)) => at_most_a_page(number.as_u64()),
                // Its default stands elsewhere: as much as there may be.
                _ => LARGEST_PAGE,
            },
        }
    }
}

fn at_most_a_page(number: Option<u64>) -> u32 {
    number.map_or(LARGEST_PAGE, |number| number.min(LARGEST_PAGE.into()) as u32)
}
