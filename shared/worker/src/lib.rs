//! sever-worker
