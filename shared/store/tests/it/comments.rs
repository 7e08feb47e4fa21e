//! The schema explains itself: every table and column of ours has a comment.

use sever_testkit::Database;

/// Tables and columns without one, but for the table that the migration tool keeps for itself.
const SILENT: &str = "
SELECT class.relname || coalesce('.' || attribute.attname, '') AS name
FROM pg_class AS class
LEFT JOIN pg_attribute AS attribute
    ON attribute.attrelid = class.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
WHERE class.relnamespace = 'public'::regnamespace AND class.relkind IN ('r', 'p', 'v')
  AND class.relname <> 'refinery_schema_history'
  AND (obj_description(class.oid, 'pg_class') IS NULL OR col_description(class.oid, attribute.attnum) IS NULL)
ORDER BY name";

#[tokio::test]
async fn every_table_and_column_says_what_it_is() {
    let database = Database::fresh().await.unwrap();
    let silent = database.sql(SILENT).await.unwrap();
    assert_eq!(silent, "", "these have no comment");
}
