//! sever-dispatch
