//! sever-console
fn main() {}
