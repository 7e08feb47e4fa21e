//! `sever dev`: servers, simulator and services on one machine. `sever demo` uses the same fleet.

pub(crate) mod addresses;
mod belongings;
mod broker;
pub(crate) mod company;
mod database;
pub(crate) mod environment;
pub(crate) mod fleet;
mod home;
pub(crate) mod narrator;
pub(crate) mod people;
mod programs;
mod run;
mod service;
mod signals;
pub(crate) mod simulator;
pub(crate) mod supervise;
pub(crate) mod systems;

pub(crate) use run::{DevArguments, run};
