//! How many items a page holds, and where the next one begins.

use uuid::Uuid;

/// Items on a page where the client does not say.
const DEFAULT: i64 = 50;

/// The items to read for a page of `asked` items (at least one, at most `max`).
pub(crate) fn of(asked: Option<u32>, max: i64) -> i64 {
    asked.map_or(DEFAULT, i64::from).clamp(1, max)
}

/// Where the page after this one begins: at the last id, unless this one was not full.
pub(crate) fn next<T>(items: &[T], limit: i64, id: impl Fn(&T) -> Uuid) -> Option<Uuid> {
    let full = i64::try_from(items.len()).is_ok_and(|count| count >= limit);
    items.last().filter(|_| full).map(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_full_page_has_a_next_one() {
        let id = |n: &u128| Uuid::from_u128(*n);
        assert_eq!(next(&[1, 2], 2, id), Some(Uuid::from_u128(2)));
        assert_eq!(next(&[1], 2, id), None);
        assert_eq!(next(&[], 2, id), None);
        assert_eq!(
            (of(None, 200), of(Some(0), 200), of(Some(999), 200)),
            (50, 1, 200)
        );
    }
}
