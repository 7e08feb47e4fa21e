//! sever-worker-okta
fn main() {}
