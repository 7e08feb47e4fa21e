//! sever-domain
