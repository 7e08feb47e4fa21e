//! Comparisons of values.

use std::cmp::Ordering;

use serde_json::Value;

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// After.
    Gt,
    /// At or after.
    Ge,
    /// Before.
    Lt,
    /// At or before.
    Le,
}

impl Operator {
    /// The operator that `word` means.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "eq" => Self::Eq,
            "ne" => Self::Ne,
            "co" => Self::Co,
            "sw" => Self::Sw,
            "ew" => Self::Ew,
            "gt" => Self::Gt,
            "ge" => Self::Ge,
            "lt" => Self::Lt,
            "le" => Self::Le,
            _ => return None,
        })
    }

    /// Whether it asks which comes first.
    pub fn needs_order(self) -> bool {
        matches!(self, Self::Gt | Self::Ge | Self::Lt | Self::Le)
    }

    /// Whether one of `values` compares so with `wanted`; for "not equal", whether none is equal.
    pub fn holds_for_any(self, values: &[&Value], wanted: &Value, case_exact: bool) -> bool {
        if self == Self::Ne {
            return !Self::Eq.holds_for_any(values, wanted, case_exact);
        }
        values
            .iter()
            .any(|value| self.holds(value, wanted, case_exact))
    }

    fn holds(self, value: &Value, wanted: &Value, case_exact: bool) -> bool {
        let (Value::String(value), Value::String(wanted)) = (value, wanted) else {
            return match self {
                Self::Eq => value == wanted,
                _ => numbers(value, wanted).is_some_and(|order| self.accepts(order)),
            };
        };
        if self == Self::Eq && !case_exact && value.is_ascii() {
            return value.eq_ignore_ascii_case(wanted);
        }
        let folded = |text: &str| match case_exact {
            true => text.to_owned(),
            false => text.to_lowercase(),
        };
        let (value, wanted) = (folded(value), folded(wanted));
        match self {
            Self::Co => value.contains(&wanted),
            Self::Sw => value.starts_with(&wanted),
            Self::Ew => value.ends_with(&wanted),
            _ => self.accepts(value.cmp(&wanted)),
        }
    }

    fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Ne | Self::Co | Self::Sw | Self::Ew => false,
        }
    }
}

fn numbers(value: &Value, wanted: &Value) -> Option<Ordering> {
    value.as_f64()?.partial_cmp(&wanted.as_f64()?)
}
