//! Looking for a person's accounts.
//!
//! A filter on what a server does not know finds nothing, and says so with 200 (RFC 7644 section 3.4.2.2). Nobody is believed
//! to be nobody only where the filter for addresses has found somebody before; else everybody is read.

use std::collections::HashSet;

use sever_domain::OutcomeClass;
use sever_domain::identity::PersonAttributes;
use sever_provider::{Account, CallError};

use crate::account::takes_no_filter;
use crate::app::{App, Refused, USERS, unusable};
use crate::listing::{List, equals, list};
use crate::user::User;

const DOING: &str = "looking for an account by login";

/// Looks for each of the person's addresses as `userName` and as an address, and for their numbers as `externalId`.
/// Everything that comes back is compared here: an account counts only where it really carries what was asked for.
///
/// # Errors
/// As any read. Where no filter for an address is taken, or nobody was found by filters that have never found anybody,
/// everybody is read; class `NeedsPerson` where that is refused.
pub async fn find_by_login(
    app: &App,
    person: &PersonAttributes,
) -> Result<Vec<Account>, CallError> {
    let theirs = Theirs::of(person);
    let found = match by_filters(app, &theirs).await? {
        Found::Believed(found) => found,
        Found::Unproven => everybody(app, &theirs).await?,
    };
    let accounts = found.into_iter().map(|user| user.into_account(app));
    Ok(accounts.collect())
}

/// What the filters came to.
enum Found {
    /// These and no others.
    Believed(Vec<User>),
    /// A filter is not taken, or is not known to find what is there.
    Unproven,
}

async fn by_filters(app: &App, theirs: &Theirs<'_>) -> Result<Found, CallError> {
    let mut found: Vec<User> = Vec::new();
    let mut known = HashSet::new();
    let mut answers: Vec<(Asked<'_>, HashSet<String>)> = Vec::new();
    for asked in theirs.asked() {
        let users = match search(app, Some(&asked.filter()), theirs).await {
            Ok(users) => users,
            // Many applications have no such attribute, and not everybody is read for one.
            Err(refused) if takes_no_filter(refused.meaning) && asked.on == On::Number => continue,
            Err(refused) if takes_no_filter(refused.meaning) => return Ok(Found::Unproven),
            Err(refused) => return Err(refused.error),
        };
        if asked.on == On::Address && users.iter().any(|user| asked.is_carried_by(user)) {
            app.dialects.finds_addresses.learn();
        }
        let ids = users.iter().map(|user| user.id.clone()).collect();
        answers.push((asked, ids));
        found.extend(
            users
                .into_iter()
                .filter(|user| known.insert(user.id.clone())),
        );
    }
    let is_missed = |user: &User| {
        let mut answers = answers.iter();
        answers.any(|(asked, ids)| asked.is_carried_by(user) && !ids.contains(&user.id))
    };
    let asked_by_address = !theirs.emails.is_empty();
    let nobody = found.is_empty() && asked_by_address && !app.dialects.finds_addresses.is_known();
    Ok(match nobody || found.iter().any(is_missed) {
        true => Found::Unproven,
        false => Found::Believed(found),
    })
}

/// Everybody is read, and who is the person is decided here.
async fn everybody(app: &App, theirs: &Theirs<'_>) -> Result<Vec<User>, CallError> {
    search(app, None, theirs).await.map_err(|refused| {
        if !takes_no_filter(refused.meaning) {
            return refused.error;
        }
        let what = "no filter for addresses has found anybody here so far, and the application gives no list of \
            everybody: import the person's id at this application";
        CallError {
            class: OutcomeClass::NeedsPerson,
            ..unusable(DOING, what.to_owned())
        }
    })
}

async fn search(
    app: &App,
    filter: Option<&str>,
    theirs: &Theirs<'_>,
) -> Result<Vec<User>, Refused> {
    let wanted = List {
        doing: DOING,
        endpoint: USERS,
        collection: "Users",
        filter,
    };
    let keep = |document| User::of(document, None).filter(|user| theirs.has(user));
    list(app, wanted, keep).await
}

/// What a filter asks about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum On {
    Login,
    Address,
    Number,
}

/// One question.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    on: On,
    value: &'a str,
}

impl Asked<'_> {
    fn filter(&self) -> String {
        let name = match self.on {
            On::Login => "userName",
            On::Address => "emails.value",
            On::Number => "externalId",
        };
        equals(name, self.value)
    }

    /// Whether a user is one of those whom the filter must find. A number is asked about besides, and nothing rests on it.
    fn is_carried_by(&self, user: &User) -> bool {
        match self.on {
            On::Login => user
                .document
                .text("userName")
                .is_some_and(|name| same(&name, self.value)),
            On::Address => user.addresses().any(|address| same(&address, self.value)),
            On::Number => false,
        }
    }
}

/// What an account of the person is known by.
struct Theirs<'a> {
    emails: Vec<&'a str>,
    numbers: Vec<&'a str>,
}

impl<'a> Theirs<'a> {
    fn of(person: &'a PersonAttributes) -> Self {
        let told = |texts: &'a [String]| -> Vec<&'a str> {
            let texts = texts.iter().map(|text| text.trim());
            texts.filter(|text| !text.is_empty()).collect()
        };
        Self {
            emails: told(&person.emails),
            numbers: told(&person.external_ids),
        }
    }

    fn asked(&self) -> Vec<Asked<'a>> {
        let of_email = |value: &&'a str| [On::Login, On::Address].map(|on| Asked { on, value });
        let of_number = |value: &&'a str| Asked {
            on: On::Number,
            value,
        };
        let addresses = self.emails.iter().flat_map(of_email);
        addresses
            .chain(self.numbers.iter().map(of_number))
            .collect()
    }

    /// Upper and lower case count in a number and not in an address (RFC 7643 section 3.1).
    fn has(&self, user: &User) -> bool {
        let by_login = || {
            user.logins()
                .any(|login| self.emails.iter().any(|email| same(&login, email)))
        };
        let number = user.document.text("externalId");
        number.is_some_and(|number| self.numbers.contains(&number.as_str())) || by_login()
    }
}

fn same(login: &str, email: &str) -> bool {
    login.trim().to_lowercase() == email.to_lowercase()
}
