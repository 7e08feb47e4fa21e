//! What a private connector pushed: the whole state of its world, each time.

use serde_json::Value;

/// A row as it was pushed.
#[derive(Debug, Clone)]
pub struct Row {
    /// The row's `uniqueId`.
    pub unique_id: String,
    /// The row.
    pub value: Value,
    /// When a later push left it out, in milliseconds since the Unix epoch.
    pub deleted_at: Option<i64>,
}

impl Row {
    /// Whether it says that the person with this `email` has an active account.
    pub fn is_active_account_of(&self, email: &str) -> bool {
        let text = |name: &str| self.value[name].as_str().unwrap_or_default();
        self.deleted_at.is_none()
            && text("status") == "ACTIVE"
            && text("email").eq_ignore_ascii_case(email)
    }
}

/// All rows of one type under one resource id.
#[derive(Debug, Clone, Default)]
pub struct ResourceSet {
    /// The rows, in the order in which they first came.
    pub rows: Vec<Row>,
}

impl ResourceSet {
    /// Makes `rows` the whole set. Rows left out are deleted: `keep` leaves them in the set, marked. Says whether
    /// anything differs.
    pub fn replace(&mut self, rows: Vec<(String, Value)>, keep: bool, now_ms: i64) -> bool {
        let mut changed = false;
        for old in &mut self.rows {
            if old.deleted_at.is_none() && !rows.iter().any(|(id, _)| *id == old.unique_id) {
                old.deleted_at = Some(now_ms);
                changed = true;
            }
        }
        if !keep {
            self.rows.retain(|row| row.deleted_at.is_none());
        }
        for (unique_id, value) in rows {
            match self.rows.iter_mut().find(|row| row.unique_id == unique_id) {
                Some(row) => {
                    changed |= row.value != value || row.deleted_at.is_some();
                    row.value = value;
                    row.deleted_at = None;
                }
                None => {
                    changed = true;
                    self.rows.push(Row {
                        unique_id,
                        value,
                        deleted_at: None,
                    });
                }
            }
        }
        changed
    }

    /// How many rows are not deleted.
    pub fn live(&self) -> usize {
        let rows = self.rows.iter();
        rows.filter(|row| row.deleted_at.is_none()).count()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_push_is_the_whole_world_and_an_empty_one_empties_it() {
        let row = |id: &str| (id.to_owned(), json!({ "uniqueId": id }));
        let mut set = ResourceSet::default();
        assert!(set.replace(vec![row("a"), row("b")], true, 1));
        assert!(
            !set.replace(vec![row("a"), row("b")], true, 2),
            "the same again"
        );
        assert!(set.replace(vec![row("b")], true, 3));
        assert_eq!((set.live(), set.rows.len()), (1, 2));
        assert!(set.replace(vec![], false, 4));
        assert_eq!((set.live(), set.rows.len()), (0, 0));
    }
}
