//! `sever`: the command line of operators and of people who are on call.
//!
//! Almost every command talks to the console (`SEVER_CONSOLE_URL`, `SEVER_TOKEN` or `SEVER_TOKEN_FILE`). Only `migrate`, `doctor`,
//! `dev`, `demo` and the first `token create` go to the database. What a program may want goes to standard output, what only
//! people want (progress, hints) to standard error.
//!
//! The exit codes are part of the contract; see [`exit`].

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod client;
mod command;
mod database;
mod demo;
mod dev;
mod exit;
mod output;
mod toml_file;
mod words;

use std::process::ExitCode;

use clap::Parser as _;

use crate::command::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a process can have an async runtime");
    let ended = runtime.block_on(command::run(arguments));
    ended.unwrap_or_else(|failure| {
        output::complain(&failure.to_string());
        failure.exit_code()
    })
}
