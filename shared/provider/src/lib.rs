//! sever-provider
