//! `sever completions`.

use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

use super::Arguments;
use crate::exit::Ended;
use crate::output;

/// Which shell.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell whose completions to print.
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completions, to be put where the shell looks for them.
pub(super) fn run(arguments: &CompletionsArguments) -> Ended {
    let mut text = Vec::new();
    generate(
        arguments.shell,
        &mut Arguments::command(),
        "sever",
        &mut text,
    );
    output::say(String::from_utf8_lossy(&text).trim_end())?;
    Ok(ExitCode::SUCCESS)
}
