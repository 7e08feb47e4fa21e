//! Default ports of each service on the loopback address; a deployment sets the listen variables instead.

/// Public HTTP of the intake service.
pub const INTAKE_HTTP: u16 = 7070;
/// Health and metrics of the intake service.
pub const INTAKE_OPS: u16 = 7071;
/// Health and metrics of the reconciler.
pub const RECONCILER_OPS: u16 = 7073;
/// Operator API of the console.
pub const CONSOLE_HTTP: u16 = 7080;
/// Health and metrics of the console.
pub const CONSOLE_OPS: u16 = 7081;
/// Health and metrics of the Okta worker.
pub const WORKER_OKTA_OPS: u16 = 7091;
/// Health and metrics of the Entra worker.
pub const WORKER_ENTRA_OPS: u16 = 7092;
/// Health and metrics of the Vanta worker.
pub const WORKER_VANTA_OPS: u16 = 7093;
/// Health and metrics of the SCIM worker.
pub const WORKER_SCIM_OPS: u16 = 7094;
/// Health and metrics of the OIDC worker.
pub const WORKER_OIDC_OPS: u16 = 7095;
