//! Where a subject's access stands, person or integration. Holds no name of a person and no e-mail.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sever_domain::{Status, SubjectId, SubjectKind};
use sever_store::standing::{Standing, overall};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::opt_out_view::{ConnectionStatusView, OptOutSummaryView};
use crate::task_view::TaskView;

/// Where a subject's access stands, over all connections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SubjectStatusView {
    /// The subject id.
    pub subject: Uuid,
    /// What kind of subject it is: `person` or `integration`.
    #[schema(value_type = String, example = "person")]
    pub subject_kind: SubjectKind,
    /// An integration's name; absent for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_name: Option<String>,
    /// The status over all connections: the weakest of those where an opt-out is in force.
    #[schema(value_type = String, example = "fully_removed")]
    pub status: Status,
    /// The status at each connection where the subject has a job or a binding, by name.
    pub connections: Vec<ConnectionStatusView>,
    /// What people are asked to do for it, oldest first, at most 200.
    pub tasks: Vec<TaskView>,
    /// The subject's opt-outs, newest first, at most 200.
    pub opt_outs: Vec<OptOutSummaryView>,
    /// The moment for which the status holds, by the database's clock.
    pub as_of: Timestamp,
}

/// A subject as it may be named in a view of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedSubject {
    /// The subject id.
    pub id: SubjectId,
    /// What kind of subject it is.
    pub kind: SubjectKind,
    /// An integration's name; `None` for a person.
    pub name: Option<String>,
}

impl SubjectStatusView {
    /// The status of a subject at `now`.
    #[must_use]
    pub fn new(
        subject: NamedSubject,
        standings: &[Standing],
        tasks: Vec<TaskView>,
        opt_outs: Vec<OptOutSummaryView>,
        now: Timestamp,
    ) -> Self {
        let connection = |standing| ConnectionStatusView::new(standing, now);
        Self {
            subject: subject.id.0,
            subject_kind: subject.kind,
            subject_name: subject.name,
            status: overall(standings, now),
            connections: standings.iter().map(connection).collect(),
            tasks,
            opt_outs,
            as_of: now,
        }
    }
}
