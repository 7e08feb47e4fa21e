//! Changes, with what follows from them.

use super::{Realm, Session, Token, TokenKind};

impl Realm {
    /// Ends sessions that `ends` picks; says how many.
    pub fn end_sessions(&mut self, ends: impl Fn(&Session) -> bool) -> usize {
        let before = self.sessions.len();
        self.sessions.retain(|_, session| !ends(session));
        before - self.sessions.len()
    }

    /// Logs a user out everywhere: online sessions end, and what was issued before is not valid any more.
    pub fn log_out(&mut self, user: &str, now_ms: i64) -> bool {
        let ended = self.end_sessions(|session| session.user == user && !session.offline);
        let sets = self.settings.unconfirmed.logout_sets_not_before;
        let now_s = now_ms.div_euclid(1000);
        match self.users.get_mut(user) {
            Some(user) if sets && user.not_before_s != now_s => {
                user.not_before_s = now_s;
                true
            }
            _ => ended > 0,
        }
    }

    /// What follows from a user's `enabled` becoming false.
    pub fn after_disabling(&mut self, user: &str) {
        if self.settings.unconfirmed.disable_ends_sessions {
            self.end_sessions(|session| session.user == user);
        }
    }

    /// What follows from a client's `enabled` becoming false.
    pub fn after_disabling_client(&mut self, client: &str) {
        if self.settings.unconfirmed.disable_client_ends_sessions {
            self.leave_sessions(client);
        }
    }

    /// Takes a client out of all sessions; a session without clients ends.
    pub fn leave_sessions(&mut self, client: &str) {
        for session in self.sessions.values_mut() {
            session.clients.remove(client);
        }
        self.end_sessions(|session| session.clients.is_empty());
    }

    /// Deletes a user; nothing of them stays.
    pub fn delete_user(&mut self, id: &str) -> bool {
        self.end_sessions(|session| session.user == id);
        self.tokens
            .retain(|_, token| token.user.as_deref() != Some(id));
        self.deleted.insert(id.to_owned());
        self.users.remove(id).is_some()
    }

    /// Deletes a client with its tokens, its service account and the consents given to it.
    pub fn delete_client(&mut self, uuid: &str) -> bool {
        let Some(client) = self.clients.remove(uuid) else {
            return false;
        };
        self.leave_sessions(uuid);
        self.tokens.retain(|_, token| token.client != uuid);
        if let Some(user) = client.service_account {
            self.delete_user(&user);
        }
        for user in self.users.values_mut() {
            user.consents.remove(uuid);
            user.client_roles.remove(uuid);
        }
        self.deleted_clients
            .insert(client.client_id, uuid.to_owned());
        true
    }

    /// Withdraws a user's consent to a client, and with it the offline tokens; says whether there was any.
    pub fn withdraw_consent(&mut self, user: &str, client: &str) -> bool {
        let consent = self
            .users
            .get_mut(user)
            .is_some_and(|user| user.consents.remove(client).is_some());
        let offline = self.end_sessions(|session| {
            session.user == user && session.offline && session.clients.contains(client)
        });
        consent || offline > 0
    }

    /// Revokes a token (RFC 7009 section 2.1); says whether it was alive.
    pub fn revoke(&mut self, secret: &str) -> bool {
        let Some(token) = self.tokens.get_mut(secret) else {
            return false;
        };
        let was_alive = !std::mem::replace(&mut token.revoked, true);
        let (kind, grant, session) = (token.kind, token.grant.clone(), token.session.clone());
        if kind != TokenKind::Access && self.settings.unconfirmed.revocation_cascades {
            for other in self.tokens.values_mut() {
                other.revoked |= other.grant == grant;
            }
        }
        if kind == TokenKind::Offline && was_alive {
            self.end_sessions(|found| Some(&found.id) == session.as_ref());
        }
        was_alive
    }

    /// Ends everything that was issued to a user, and all sessions.
    pub fn revoke_everything(&mut self, user: &str) -> bool {
        let mut any = self.end_sessions(|session| session.user == user) > 0;
        let own = |token: &&mut Token| token.user.as_deref() == Some(user);
        for token in self.tokens.values_mut().filter(own) {
            any |= !token.revoked;
            token.revoked = true;
        }
        any
    }
}
