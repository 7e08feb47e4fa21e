//! `sever dev`: servers, simulator and services on one machine. `sever demo` uses the same fleet.

mod addresses;
mod broker;
mod database;
mod environment;
mod fleet;
mod home;
mod narrator;
mod people;
mod run;
mod service;
mod signals;
mod simulator;

pub(crate) use run::{DevArguments, run};
