//! sever-bus
