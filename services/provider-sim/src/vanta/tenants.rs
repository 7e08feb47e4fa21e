//! The tenants of a simulation by name, each behind its own lock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::vanta::settings::Settings;
use crate::vanta::state::Tenant;

/// A tenant as several connections use it at once. The lock is never held across an await.
#[derive(Debug)]
pub struct Site {
    tenant: Mutex<Tenant>,
}

impl Site {
    /// The tenant. A panic elsewhere does not take it away: its state is inspected in tests all the more.
    pub fn lock(&self) -> MutexGuard<'_, Tenant> {
        self.tenant.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every tenant.
#[derive(Debug, Default)]
pub struct Tenants {
    by_name: RwLock<BTreeMap<String, Arc<Site>>>,
}

impl Tenants {
    /// The tenant `name`.
    pub fn find(&self, name: &str) -> Option<Arc<Site>> {
        self.by_name
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }

    /// The names, in order.
    pub fn names(&self) -> Vec<String> {
        let tenants = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        tenants.keys().cloned().collect()
    }

    /// Creates the tenant `name`, or gives an existing one new settings. Says whether it was created.
    pub fn put(&self, name: &str, seed: u64, settings: Settings) -> bool {
        let mut tenants = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        match tenants.get(name) {
            Some(site) => {
                let mut tenant = site.lock();
                tenant.settings = settings;
                tenant.limiter.clear();
                false
            }
            None => {
                let tenant = Mutex::new(Tenant::new(name, seed, settings));
                tenants.insert(name.to_owned(), Arc::new(Site { tenant }));
                true
            }
        }
    }

    /// Removes the tenant `name` with everything in it; says whether it existed.
    pub fn remove(&self, name: &str) -> bool {
        self.by_name
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name)
            .is_some()
    }
}
