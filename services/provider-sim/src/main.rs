//! sever-provider-sim
fn main() {}
