//! What every handler has at hand.

use std::time::Duration;

use sever_api::HttpLimits;
use sever_store::Store;

/// The state of the service. Cheap to clone.
#[derive(Clone)]
pub struct Console {
    /// The database.
    pub store: Store,
    /// The bounds of an ordinary request.
    pub limits: HttpLimits,
    /// The bounds of an import: its body is a whole directory.
    pub import_limits: HttpLimits,
}

/// The largest import, in bytes: about half a million people.
const IMPORT_BODY_MAX_BYTES: usize = 64 * 1024 * 1024;

/// The deadline of an import, which commits as it goes.
const IMPORT_TIMEOUT: Duration = Duration::from_secs(600);

impl Console {
    /// The service over a database, with these bounds for every route but the import.
    #[must_use]
    pub fn new(store: Store, limits: HttpLimits) -> Self {
        Self {
            store,
            limits,
            import_limits: HttpLimits {
                body_max_bytes: IMPORT_BODY_MAX_BYTES,
                request_timeout: IMPORT_TIMEOUT,
            },
        }
    }
}
