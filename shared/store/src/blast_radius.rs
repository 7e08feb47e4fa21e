//! Who else the jobs of an opt-out affect, as counted when their plans were made.

use std::collections::BTreeMap;

use sever_domain::{JobId, OptOutId};

use crate::error::StoreError;
use crate::job::Affected;
use crate::pool::Client;

const OF_OPT_OUT: &str = "
SELECT job_id, people, groups, applications, complete, last_sign_in_path, calls, seconds
FROM blast_radius JOIN job ON job.id = blast_radius.job_id WHERE job.opt_out_id = $1";

/// By job; a job whose plan did not count is absent.
///
/// # Errors
/// As any statement.
pub async fn of_opt_out(
    client: &Client,
    opt_out: OptOutId,
) -> Result<BTreeMap<JobId, Affected>, StoreError> {
    let rows = client
        .query(OF_OPT_OUT, &[&opt_out.0], "reading who is affected")
        .await?;
    let affected = rows.iter().map(|row| {
        let affected = Affected {
            people: row.get("people"),
            groups: row.get("groups"),
            applications: row.get("applications"),
            complete: row.get("complete"),
            last_sign_in_path: row.get("last_sign_in_path"),
            calls: row.get("calls"),
            seconds: row.get("seconds"),
        };
        (JobId(row.get("job_id")), affected)
    });
    Ok(affected.collect())
}
