//! sever-accept
