//! sever-private-servers
