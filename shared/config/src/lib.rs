//! sever-config
