//! sever-store
