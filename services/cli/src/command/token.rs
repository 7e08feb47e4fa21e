//! `sever token`: what may call the services.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use sever_api::Scope;
use sever_api::connection_view::Span;
use sever_api::operator_view::{CreatedToken, TokenBody, TokenList};
use sever_audit::{AuditEvent, AuditKind};
use sever_config::{Environment as _, ProcessEnvironment};
use sever_store::api_token::{self, NewToken};
use sever_store::{Store, StoreError, audit, source};

use crate::client::Client;
use crate::database;
use crate::exit::{Ended, Failure, Reason};
use crate::output::{self, Format, table};
use crate::words::{one_of, or_dash, time, time_or_none};

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token and print it this once.
    ///
    /// The first token goes to the database (SEVER_DATABASE_URL); further ones go through the console with the token of
    /// SEVER_TOKEN.
    Create(CreateArguments),
    /// List tokens by name; never the tokens themselves.
    List,
    /// End a token. Services that know it notice within seconds.
    Revoke {
        /// The token's name.
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CreateArguments {
    /// Its name, unique; appears in audit events.
    #[arg(long)]
    name: String,
    /// What it may do; several are given one by one or separated by commas.
    #[arg(long = "scope", required = true, value_delimiter = ',', value_parser = one_of::<Scope>(Scope::ALL.iter().map(|scope| scope.as_str())))]
    scopes: Vec<Scope>,
    /// The source for which its bearer speaks; needed to report leavers.
    #[arg(long)]
    source: Option<String>,
    /// For how long it works, such as 12h or 90d; for ever where absent.
    #[arg(long, value_name = "TIME")]
    expires: Option<Span>,
    /// Go to the database (SEVER_DATABASE_URL) even if there are tokens already.
    #[arg(long)]
    direct: bool,
}

/// Runs the command.
pub(super) async fn run(command: TokenCommand, format: Format) -> Ended {
    match command {
        TokenCommand::Create(arguments) => create(arguments, format).await?,
        TokenCommand::List => {
            let list: TokenList = Client::from_environment()?.get(&["tokens"], &[]).await?;
            format.print(&list, shown)?;
        }
        TokenCommand::Revoke { name } => {
            Client::from_environment()?
                .delete(&["tokens", &name])
                .await?;
            format.print(&json!({"revoked": name}), |_| {
                format!("the token '{name}' works no more")
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(arguments: CreateArguments, format: Format) -> Result<(), Failure> {
    let client = Client::from_environment()?;
    let direct = arguments.direct || !client.has_token() && names_a_database();
    let body = TokenBody {
        name: arguments.name,
        scopes: arguments.scopes,
        source: arguments.source,
        expires_in: arguments.expires,
    };
    let created: CreatedToken = if direct {
        let store = database::open().await?;
        create_directly(&store, &body, arguments.direct).await?
    } else {
        client.send_json(Method::POST, &["tokens"], &body).await?
    };
    if output::is_watched() {
        output::note("the token is shown this once and stored nowhere:");
    }
    format.print(&created, |created| created.token.clone())
}

fn names_a_database() -> bool {
    ["SEVER_DATABASE_URL", "SEVER_DATABASE_URL_FILE"]
        .iter()
        .any(|name| ProcessEnvironment.get(name).is_some())
}

/// Without `even_if_others`, only the first token is made so: whoever has the database's password could make any, and the
/// console knows better who asks.
async fn create_directly(
    store: &Store,
    body: &TokenBody,
    even_if_others: bool,
) -> Result<CreatedToken, Failure> {
    let failed = |error: StoreError| refused(&body.name, &error);
    let mut client = store.client("making a token").await.map_err(failed)?;
    let others = api_token::list(&client, 1).await.map_err(failed)?;
    if !others.is_empty() && !even_if_others {
        return Err(Failure::new(
            Reason::Refused,
            "there are tokens already: set SEVER_TOKEN to one with the scope tokens:write, or pass --direct",
        ));
    }
    let tx = client.begin().await.map_err(failed)?;
    let now = tx.now().await.map_err(failed)?;
    let source = match &body.source {
        Some(name) => {
            let found = source::by_names(&tx, &[name]).await.map_err(failed)?;
            let missing = || {
                Failure::new(
                    Reason::NotFound,
                    format!("there is no source '{name}': add it with 'sever source add'"),
                )
            };
            Some(found.first().ok_or_else(missing)?.id)
        }
        None => None,
    };
    let scopes: Vec<&str> = body.scopes.iter().map(|scope| scope.as_str()).collect();
    let expires_at = body
        .expires_in
        .map(|span| now + SignedDuration::from_secs(span.as_seconds()));
    let token = NewToken {
        name: &body.name,
        scopes: &scopes,
        source,
        expires_at,
    };
    let (id, secret) = api_token::create(&tx, &token).await.map_err(failed)?;
    let data =
        json!({"change": "created", "token": body.name, "scopes": scopes, "source": body.source});
    let event = AuditEvent::new(AuditKind::TokenChanged, now, "system:cli", data);
    audit::insert(&tx, &[event]).await.map_err(failed)?;
    tx.commit().await.map_err(failed)?;
    Ok(CreatedToken {
        id: id.0,
        name: body.name.clone(),
        token: secret.expose().to_owned(),
        expires_at,
    })
}

fn refused(name: &str, error: &StoreError) -> Failure {
    if error.constraint() == Some("api_token_name_key") {
        return Failure::new(
            Reason::Refused,
            format!("a token '{name}' exists, or existed: choose another name"),
        );
    }
    database::failure(error)
}

fn shown(list: &TokenList) -> String {
    let row = |token: &sever_api::operator_view::TokenView| {
        vec![
            token.name.clone(),
            token.scopes.join(" "),
            or_dash(token.source.as_ref()),
            time(token.created_at),
            or_dash(time_or_none(token.expires_at)),
            or_dash(time_or_none(token.revoked_at)),
        ]
    };
    table(
        &["name", "scopes", "source", "created", "expires", "revoked"],
        list.items.iter().map(row).collect(),
        "no tokens",
    )
}
