//! The instances of one provider, by name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// An instance behind its lock, which is never held across an await.
#[derive(Debug)]
pub struct Site<S>(Mutex<S>);

impl<S> Site<S> {
    /// The instance. A panic elsewhere does not take it away: its state is inspected in tests all the more.
    pub fn lock(&self) -> MutexGuard<'_, S> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All instances of one provider.
#[derive(Debug)]
pub struct Instances<S> {
    by_name: RwLock<HashMap<String, Arc<Site<S>>>>,
}

impl<S> Default for Instances<S> {
    fn default() -> Self {
        Self {
            by_name: RwLock::default(),
        }
    }
}

impl<S> Instances<S> {
    /// The instance `name`.
    pub fn get(&self, name: &str) -> Option<Arc<Site<S>>> {
        self.by_name
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }

    /// The names of all, in order.
    pub fn names(&self) -> Vec<String> {
        let instances = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<String> = instances.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// Puts `created` under `name`, or has `change` alter the one that is there. Says whether it was created.
    pub fn put(&self, name: &str, created: S, change: impl FnOnce(&mut S, S)) -> bool {
        let mut instances = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        match instances.get(name) {
            Some(site) => {
                change(&mut site.lock(), created);
                false
            }
            None => {
                instances.insert(name.to_owned(), Arc::new(Site(Mutex::new(created))));
                true
            }
        }
    }

    /// Removes the instance `name` with everything in it; says whether it existed.
    pub fn remove(&self, name: &str) -> bool {
        self.by_name
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name)
            .is_some()
    }
}
