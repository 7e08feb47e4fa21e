//! sever-intake
fn main() {}
