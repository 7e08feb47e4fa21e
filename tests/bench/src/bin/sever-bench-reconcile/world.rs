//! The organisation that is reconciled: who is in the directory, and what a provider would show.

use jiff::Timestamp;
use sever_domain::inventory::ObservedKind;
use sever_domain::{AccountState, EntitlementKind};
use sever_store::inventory::{MatchKeys, ObservedAccount, ObservedEntitlement};

/// The connection that is reconciled.
pub(crate) const CONNECTION: &str = "00000000-0000-7000-8000-0000000000aa";

/// An organisation of so many accounts, with three times as many entitlements. Of each thousand people fifty have left and are
/// deactivated, but one of them is live again, and another one still holds a group; one person's account is missing, with what hung on it
/// still there; and one account is nobody's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct World {
    /// Accounts, and people.
    pub(crate) accounts: u64,
}

impl World {
    /// Findings that there must be: one live leaver, one missing account, one orphan, and two holders of orphaned entitlements in
    /// each thousand.
    pub(crate) const fn findings(self) -> u64 {
        self.accounts / 1000 * 5
    }

    pub(crate) const fn entitlements(self) -> u64 {
        self.accounts * 3
    }

    /// Makes the people and their bindings, as an import and years of confirmed bindings would have.
    pub(crate) fn directory(self) -> String {
        let people = self.accounts;
        format!(
            "INSERT INTO connection (id, provider, name, base_url, credential_ref, token_lifetime_s, clock_skew_s, in_flight_max, jobs_max)
             VALUES ('{CONNECTION}', 'okta', 'okta-bench', 'https://bench.okta.test', 'env:BENCH', 3600, 30, 8, 64);
             CREATE TEMP TABLE someone AS SELECT i, ('00000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid AS id FROM generate_series(1, {people}) AS i;
             INSERT INTO subject (id, kind) SELECT id, 'person' FROM someone;
             INSERT INTO person (id, given_name, family_name, emails, employment_state)
             SELECT id, 'Given' || i, 'Family' || i, ARRAY['person' || i || '@example.test'], CASE WHEN i % 20 = 0 THEN 'left' ELSE 'active' END FROM someone;
             INSERT INTO binding (id, subject_id, connection_id, kind, provider_id, state, basis, confirmed_at)
             SELECT gen_random_uuid(), id, '{CONNECTION}', 'account', '00u' || lpad(i::text, 17, '0'), 'confirmed', 'source_listed', now() FROM someone;
             DROP TABLE someone"
        )
    }

    /// The accounts that the provider shows.
    pub(crate) fn observed_accounts(
        self,
        seen_at: Timestamp,
    ) -> impl Iterator<Item = ObservedAccount> {
        (1..=self.accounts).map(move |i| {
            // The account of every thousandth person is missing; a stranger's is there instead.
            let stranger = i % 1000 == 7;
            let left = i % 20 == 0 && i % 1000 != 0;
            ObservedAccount {
                kind: ObservedKind::Account,
                provider_id: if stranger {
                    format!("00x{i:017}")
                } else {
                    id(i)
                },
                state: if left {
                    AccountState::Deactivated
                } else {
                    AccountState::Live
                },
                keys: MatchKeys {
                    login: Some(key(i, 1)),
                    mail: Some(key(i, 1)),
                    name: Some(key(i, 2)),
                    number: None,
                },
                seen_at,
            }
        })
    }

    /// What hangs on them.
    pub(crate) fn observed_entitlements(
        self,
        seen_at: Timestamp,
    ) -> impl Iterator<Item = ObservedEntitlement> {
        const KINDS: [EntitlementKind; 3] = [
            EntitlementKind::Group,
            EntitlementKind::AppAssignment,
            EntitlementKind::Group,
        ];
        (0..self.entitlements()).map(move |j| {
            let holder = j % self.accounts + 1;
            let bare =
                holder.is_multiple_of(20) && !holder.is_multiple_of(1000) && holder % 1000 != 20;
            let kind = KINDS[(j % 3) as usize];
            ObservedEntitlement {
                account_id: id(if bare { holder - 1 } else { holder }),
                kind,
                provider_key: format!("00g{:017}", j % 5000),
                privileged: j % 1000 == 0,
                seen_at,
            }
        })
    }
}

fn id(i: u64) -> String {
    format!("00u{i:017}")
}

/// Spread over all 64 bits, as a digest is.
fn key(i: u64, of: u64) -> i64 {
    (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ of.wrapping_mul(0xc2b2_ae3d_27d4_eb4f)).cast_signed()
}
