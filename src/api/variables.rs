//! What an operation keeps of its variables.

use async_graphql::{Name, Value, Variables};

/// Variables for as long as an operation runs. A subscription runs for hours, beside thousands of others, and a map takes
/// room for eleven variables with the first.
pub struct Packed(Box<[(Name, Value)]>);

impl Packed {
    pub fn of(mut variables: Variables) -> Self {
        Self(std::mem::take(&mut *variables).into_iter().collect())
    }

    /// As they came.
    pub fn unpacked(&self) -> Variables {
        let mut variables = Variables::default();
        variables.extend(self.0.iter().cloned());
        variables
    }
}
