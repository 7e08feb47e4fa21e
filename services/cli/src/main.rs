//! sever-cli
fn main() {}
