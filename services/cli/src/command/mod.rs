//! The commands, one file for each.

use clap::{Parser, Subcommand};

use crate::demo;
use crate::dev;
use crate::exit::Ended;
use crate::output::Format;

mod access;
mod audit;
mod completions;
mod connection;
mod database_restored;
mod dlq;
mod dlq_replay;
mod dlq_show;
mod doctor;
mod drift;
mod exception;
mod hold;
mod integration;
mod migrate;
mod opt_out;
mod opt_out_detail;
mod orphans;
mod overview;
mod people;
mod plan;
mod protected;
mod provider;
mod reconcile;
mod rejected;
mod restore;
mod source;
mod status;
mod task;
mod token;
mod unmatched;
mod watch;

pub(crate) use drift::given_by;

/// Removes access: cuts every token, session, role, group and account of those who leave, and proves it.
///
/// Commands talk to the console at SEVER_CONSOLE_URL with the token of SEVER_TOKEN or SEVER_TOKEN_FILE.
///
/// Exit codes: 0 done; 1 a problem was found; 2 usage; 3 not found; 4 refused (rights or state); 5 unreachable.
#[derive(Debug, Parser)]
#[command(name = "sever", version, max_term_width = 120)]
pub(crate) struct Arguments {
    /// How results are printed.
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Table)]
    output: Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring the database schema to this version, as the owner role (SEVER_DATABASE_OWNER_URL).
    Migrate,
    /// Make, list and revoke API tokens.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Add and list sources, the upstreams that report or ask.
    #[command(subcommand)]
    Source(source::SourceCommand),
    /// Import and show people.
    #[command(subcommand)]
    People(people::PeopleCommand),
    /// Apply and show integrations, the third-party applications that were let into the organisation.
    #[command(subcommand)]
    Integration(integration::IntegrationCommand),
    /// Apply and show connections, the instances of external systems.
    #[command(subcommand)]
    Connection(connection::ConnectionCommand),
    /// Show what the workers of a provider can do, and what only a person can.
    #[command(subcommand)]
    Provider(provider::ProviderCommand),
    /// Ask for the removal of access, and list opt-outs.
    #[command(subcommand)]
    OptOut(opt_out::OptOutCommand),
    /// Show what a removal would do, without one write at a provider.
    #[command(subcommand)]
    Plan(plan::PlanCommand),
    /// Reverse an opt-out, and give back what can be given back.
    Restore(restore::RestoreArguments),
    /// Show where access stands: of a person or an integration, of one opt-out with its steps and proofs, or how the fleet does.
    Status(status::StatusArguments),
    /// Follow the work until all of it is settled.
    Watch(watch::WatchArguments),
    /// Show, release and reject holds, the stops that only a person lifts.
    #[command(subcommand)]
    Hold(hold::HoldCommand),
    /// Show what a person is asked to do where a provider has no call; say that it is done, confirm or refuse it.
    #[command(subcommand)]
    Task(task::TaskCommand),
    /// Show what gave up; send it back to work, say that it was done by hand, or give it up.
    #[command(subcommand)]
    Dlq(dlq::DlqCommand),
    /// Show what could not be taken in.
    #[command(subcommand)]
    Rejected(rejected::RejectedCommand),
    /// Show requests about somebody whom nobody knows yet.
    #[command(subcommand)]
    Unmatched(unmatched::UnmatchedCommand),
    /// Show what differs from what should be, repair it, or accept it until a date.
    #[command(subcommand)]
    Drift(drift::DriftCommand),
    /// Look at connections as a whole: ask for inventories, and show how they are observed.
    #[command(subcommand)]
    Reconcile(reconcile::ReconcileCommand),
    /// Show everything that a person can reach, with the age of each observation.
    Access(access::AccessArguments),
    /// Show accounts, entitlements and tokens that nobody is known to own.
    Orphans,
    /// Show, add and end exceptions: accounts that no person owns and that may stay until a date.
    #[command(subcommand)]
    Exception(exception::ExceptionCommand),
    /// Show and change the list of those whom no opt-out may touch without a person.
    #[command(subcommand)]
    Protected(protected::ProtectedCommand),
    /// Show the record of an opt-out and check its digests.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Check the invariants in the database (SEVER_DATABASE_URL).
    Doctor(doctor::DoctorArguments),
    /// After the database was brought back to an earlier point: refuse the processes of the lost history, and name what is
    /// lost and how each source sends it again (SEVER_DATABASE_OWNER_URL).
    DatabaseRestored(database_restored::DatabaseRestoredArguments),
    /// Run the whole fleet on this machine until Ctrl-C, with a simulated Okta org.
    Dev(dev::DevArguments),
    /// Take away the access of 48 people who leave a company of 500, on this machine, and prove it.
    Demo(demo::DemoArguments),
    /// Print the completions of a shell.
    Completions(completions::CompletionsArguments),
}

/// Runs the command.
pub(crate) async fn run(arguments: Arguments) -> Ended {
    let format = arguments.output;
    match arguments.command {
        Command::Migrate => migrate::run(format).await,
        Command::Token(command) => token::run(command, format).await,
        Command::Source(command) => source::run(command, format).await,
        Command::People(command) => people::run(command, format).await,
        Command::Integration(command) => integration::run(command, format).await,
        Command::Connection(command) => connection::run(command, format).await,
        Command::Provider(command) => provider::run(command, format).await,
        Command::OptOut(command) => opt_out::run(command, format).await,
        Command::Plan(command) => plan::run(command, format).await,
        Command::Restore(arguments) => restore::run(&arguments, format).await,
        Command::Status(arguments) => status::run(&arguments, format).await,
        Command::Watch(arguments) => watch::run(&arguments, format).await,
        Command::Hold(command) => hold::run(command, format).await,
        Command::Task(command) => task::run(command, format).await,
        Command::Dlq(command) => dlq::run(command, format).await,
        Command::Rejected(command) => rejected::run(command, format).await,
        Command::Unmatched(command) => unmatched::run(command, format).await,
        Command::Drift(command) => drift::run(command, format).await,
        Command::Reconcile(command) => reconcile::run(command, format).await,
        Command::Access(arguments) => access::run(&arguments, format).await,
        Command::Orphans => orphans::run(format).await,
        Command::Exception(command) => exception::run(command, format).await,
        Command::Protected(command) => protected::run(command, format).await,
        Command::Audit(command) => audit::run(command, format).await,
        Command::Doctor(arguments) => doctor::run(&arguments, format).await,
        Command::DatabaseRestored(arguments) => database_restored::run(&arguments, format).await,
        Command::Dev(arguments) => dev::run(arguments).await,
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Completions(arguments) => completions::run(&arguments),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_contradict_nothing() {
        Arguments::command().debug_assert();
    }
}
