//! sever-tests
