//! A database of our own on a server, with the roles that own and serve it, and its removal. Only `sever dev` and `sever demo`
//! make databases; elsewhere an administrator does.

use tokio_postgres::NoTls;

use crate::error::StoreError;

/// A database to make, with its two login roles. Names and passwords are lower-case letters, digits and `_`, at most 63.
#[derive(Clone)]
pub struct OwnDatabase {
    /// The database.
    pub name: String,
    /// The role that owns the schema and migrates.
    pub owner: String,
    /// Its password. Secret.
    pub owner_password: String,
    /// The role that services log in as, a member of `sever_app`.
    pub service: String,
    /// Its password. Secret.
    pub service_password: String,
}

impl OwnDatabase {
    /// Makes the roles, the group `sever_app` where it is missing, and the database. `admin_url` belongs to a role that may do so;
    /// its path is ignored by what is made. Not atomic: after an error, [`OwnDatabase::remove`] takes away what was made.
    ///
    /// # Errors
    /// [`StoreError::BadUrl`] for a name or password of another shape, [`StoreError::NoConnection`], or as any statement.
    pub async fn create(&self, admin_url: &str) -> Result<(), StoreError> {
        self.check()?;
        let Self {
            name,
            owner,
            owner_password,
            service,
            service_password,
        } = self;
        let statements = [
            "DO $$ BEGIN CREATE ROLE sever_app NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$".to_owned(),
            format!("CREATE ROLE {owner} LOGIN PASSWORD '{owner_password}'"),
            format!("CREATE ROLE {service} LOGIN PASSWORD '{service_password}' IN ROLE sever_app"),
            // Who creates a database for another role must be a member of it, unless a superuser.
            format!("GRANT {owner} TO current_user"),
            format!("CREATE DATABASE {name} OWNER {owner}"),
        ];
        run(admin_url, &statements, "making a database of our own").await
    }

    /// Ends all sessions of the database, drops it and its roles; what is missing is passed over.
    ///
    /// # Errors
    /// As [`OwnDatabase::create`].
    pub async fn remove(&self, admin_url: &str) -> Result<(), StoreError> {
        self.check()?;
        let Self {
            name,
            owner,
            service,
            ..
        } = self;
        let statements = [
            format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            format!("DROP ROLE IF EXISTS {owner}"),
            format!("DROP ROLE IF EXISTS {service}"),
        ];
        run(admin_url, &statements, "removing a database of our own").await
    }

    /// Identifiers and passwords of roles cannot be parameters of a statement, so their shape keeps them harmless.
    fn check(&self) -> Result<(), StoreError> {
        let plain = |text: &String| {
            let letters =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            (1..=63).contains(&text.len()) && text.bytes().all(letters)
        };
        let all = [
            &self.name,
            &self.owner,
            &self.owner_password,
            &self.service,
            &self.service_password,
        ];
        if all.into_iter().all(plain) {
            Ok(())
        } else {
            Err(StoreError::BadUrl {
                problem: "a name or password of a database of our own has other characters than a-z, 0-9 and _".to_owned(),
            })
        }
    }
}

/// One statement at a time: CREATE and DROP DATABASE run in no transaction.
async fn run(
    admin_url: &str,
    statements: &[String],
    doing: &'static str,
) -> Result<(), StoreError> {
    let (client, connection) =
        tokio_postgres::connect(admin_url, NoTls)
            .await
            .map_err(|error| StoreError::NoConnection {
                doing,
                source: Box::new(error),
            })?;
    let driver = tokio::spawn(connection);
    let mut outcome = Ok(());
    for statement in statements {
        outcome = client
            .batch_execute(statement)
            .await
            .map_err(StoreError::statement(doing));
        if outcome.is_err() {
            break;
        }
    }
    drop(client);
    if let Ok(Err(error)) = driver.await {
        tracing::debug!(%error, "the administrator's connection closed with an error");
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_would_be_a_statement_is_refused_before_anything_is_connected() {
        let plain = || "sever_dev_1".to_owned();
        let database = OwnDatabase {
            name: "x; DROP DATABASE postgres".to_owned(),
            owner: plain(),
            owner_password: plain(),
            service: plain(),
            service_password: plain(),
        };
        let refused = database.create("postgres://nowhere").await.unwrap_err();
        assert!(matches!(refused, StoreError::BadUrl { .. }), "{refused}");
    }
}
