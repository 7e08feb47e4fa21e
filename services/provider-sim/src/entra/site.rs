//! A tenant as several connections use it at once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::entra::state::Tenant;

/// A tenant behind its lock, which is never held across an await.
#[derive(Debug)]
pub struct Site {
    tenant: Mutex<Tenant>,
}

impl Site {
    /// A site of `tenant`.
    pub fn new(tenant: Tenant) -> Self {
        Self {
            tenant: Mutex::new(tenant),
        }
    }

    /// The tenant. A panic elsewhere does not take it away: its state is inspected in tests all the more.
    pub fn lock(&self) -> MutexGuard<'_, Tenant> {
        self.tenant.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
