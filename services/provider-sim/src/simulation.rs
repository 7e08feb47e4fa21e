//! The whole simulation: providers, journal, faults and clock, and the way of a request to one of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde_json::json;

use crate::clock::Clock;
use crate::control;
use crate::entra;
use crate::exchange::{Incoming, Outcome, Reply};
use crate::faults::Faults;
use crate::journal::Journal;
use crate::okta;
use crate::passage::{self, Instances};
use crate::{oidc, scim, vanta};

/// Everything the process simulates.
#[derive(Debug)]
pub struct Simulation {
    /// The seed of everything random.
    pub seed: u64,
    /// Time.
    pub clock: Clock,
    /// Every call so far.
    pub journal: Journal,
    /// What goes wrong on request.
    pub faults: Faults,
    /// The Vanta tenants.
    pub vanta: vanta::Tenants,
    okta: RwLock<HashMap<String, Arc<okta::Site>>>,
    /// SCIM applications.
    pub scim: Instances<scim::App>,
    /// OIDC realms.
    pub oidc: Instances<oidc::Realm>,
    entra: RwLock<HashMap<String, Arc<entra::Site>>>,
}

impl Simulation {
    /// A simulation without any org.
    pub fn new(seed: u64, journal_capacity: usize) -> Self {
        Self {
            seed,
            clock: Clock::new(),
            journal: Journal::new(journal_capacity),
            faults: Faults::new(seed),
            vanta: vanta::Tenants::default(),
            okta: RwLock::default(),
            scim: Instances::default(),
            oidc: Instances::default(),
            entra: RwLock::default(),
        }
    }

    /// Answers one request.
    pub async fn serve(&self, incoming: Incoming) -> Outcome {
        let mut segments = incoming.segments();
        match segments.first().map(String::as_str) {
            Some("healthz") => Reply::json(200, &json!({ "status": "ok" })).into(),
            Some("control") => {
                segments.remove(0);
                control::answer(self, &incoming, &segments).into()
            }
            Some("okta") if segments.len() > 1 => {
                segments.remove(0);
                okta::serve(self, incoming, segments).await
            }
            Some("vanta") if segments.len() > 1 => {
                segments.remove(0);
                vanta::serve(self, incoming, segments).await
            }
            Some("scim") if segments.len() > 1 => {
                segments.remove(0);
                passage::serve(self, &self.scim, incoming, segments).await
            }
            Some("oidc") if segments.len() > 1 => {
                segments.remove(0);
                passage::serve(self, &self.oidc, incoming, segments).await
            }
            Some("entra") if segments.len() > 1 => {
                segments.remove(0);
                entra::serve(self, incoming, segments).await
            }
            _ => {
                let error = "no such path: /healthz, /control/... and /{provider}/{instance}/... are served";
                Reply::json(404, &json!({ "error": error })).into()
            }
        }
    }

    /// The Okta org `name`.
    pub fn okta_org(&self, name: &str) -> Option<Arc<okta::Site>> {
        self.okta
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }

    /// The names of the Okta orgs, in order.
    pub fn okta_orgs(&self) -> Vec<String> {
        let orgs = self.okta.read().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<String> = orgs.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// Creates the Okta org `name`, or gives an existing one new settings. Says whether it was created.
    pub fn put_okta_org(&self, name: &str, settings: okta::Settings) -> bool {
        let mut orgs = self.okta.write().unwrap_or_else(PoisonError::into_inner);
        match orgs.get(name) {
            Some(site) => {
                let mut org = site.lock();
                org.settings = settings;
                org.limiter.clear();
                false
            }
            None => {
                let org = okta::Org::new(name, self.seed, settings, self.clock.now_ms());
                orgs.insert(name.to_owned(), Arc::new(okta::Site::new(Mutex::new(org))));
                true
            }
        }
    }

    /// Removes the Okta org `name` with everything in it; says whether it existed.
    pub fn remove_okta_org(&self, name: &str) -> bool {
        self.okta
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name)
            .is_some()
    }

    /// The Entra tenant `name`.
    pub fn entra_tenant(&self, name: &str) -> Option<Arc<entra::Site>> {
        self.entra
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }

    /// The names of the Entra tenants, in order.
    pub fn entra_tenants(&self) -> Vec<String> {
        let tenants = self.entra.read().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<String> = tenants.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// Creates the Entra tenant `name`, or gives an existing one new settings. Returns its id and whether it was created.
    pub fn put_entra_tenant(&self, name: &str, settings: entra::Settings) -> (String, bool) {
        let mut tenants = self.entra.write().unwrap_or_else(PoisonError::into_inner);
        let now_ms = self.clock.now_ms();
        if let Some(site) = tenants.get(name) {
            let mut tenant = site.lock();
            tenant.set(settings, now_ms);
            return (tenant.id.clone(), false);
        }
        let tenant = entra::Tenant::new(name, self.seed, settings, now_ms);
        let id = tenant.id.clone();
        tenants.insert(name.to_owned(), Arc::new(entra::Site::new(tenant)));
        (id, true)
    }

    /// Removes the Entra tenant `name` with everything in it; says whether it existed.
    pub fn remove_entra_tenant(&self, name: &str) -> bool {
        self.entra
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name)
            .is_some()
    }
}
