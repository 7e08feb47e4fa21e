//! sever-audit
