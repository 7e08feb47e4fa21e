//! sever-telemetry
