//! The schema knows every word of the closed lists that Rust knows: a word that is added needs a migration.

use sever_domain::{
    Action, EntitlementKind, Grade, HoldPolicy, HoldReason, JobKind, JobState, Provider, Situation,
    StepClass, StepState,
};
use sever_testkit::Database;

/// Columns with a list of words, as `table.column|word,word`.
const LISTS: &str = "
SELECT class.relname || '.' || attribute.attname || '|' ||
       (SELECT string_agg(word[1], ',') FROM regexp_matches(pg_get_constraintdef(held.oid), '''([^'']+)''::text', 'g') AS word)
FROM pg_constraint AS held
JOIN pg_class AS class ON class.oid = held.conrelid
JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid AND ARRAY[attribute.attnum] = held.conkey
WHERE held.contype = 'c' AND class.relnamespace = 'public'::regnamespace
  AND pg_get_constraintdef(held.oid) LIKE '%= ANY (ARRAY[%'";

#[tokio::test]
async fn every_word_of_a_closed_list_is_taken_by_its_columns() {
    let found = Database::fresh().await.unwrap().sql(LISTS).await.unwrap();
    let columns: Vec<(&str, Vec<&str>)> = found
        .lines()
        .map(|line| line.split_once('|').unwrap())
        .map(|(column, words)| (column, words.split(',').collect()))
        .collect();
    let mut checked = 0;
    let mut takes = |column: &str, words: Vec<&str>| {
        let is_meant = |known: &str| known == column || known.ends_with(column);
        for (known, taken) in columns.iter().filter(|(known, _)| is_meant(known)) {
            let missing: Vec<_> = words.iter().filter(|word| !taken.contains(word)).collect();
            assert!(missing.is_empty(), "{known} refuses {missing:?}");
            checked += 1;
        }
    };
    macro_rules! words {
        ($list:ty) => {
            <$list>::ALL.iter().map(|word| word.as_str()).collect()
        };
    }
    takes(".provider", words!(Provider));
    takes(".family", words!(EntitlementKind));
    takes("entitlement.kind", words!(EntitlementKind));
    takes(".target_kind", words!(EntitlementKind));
    takes("step.action", words!(Action));
    takes("step.class", words!(StepClass));
    takes("step.state", words!(StepState));
    takes(".declared_grade", words!(Grade));
    takes("job.state", words!(JobState));
    takes("job.kind", words!(JobKind));
    takes("hold.reason", words!(HoldReason));
    takes("hold.policy", words!(HoldPolicy));
    takes(".situation", words!(Situation));
    assert!(
        checked >= 18,
        "only {checked} columns were looked at:\n{found}"
    );
}
