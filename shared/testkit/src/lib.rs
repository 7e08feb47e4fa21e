//! sever-testkit
