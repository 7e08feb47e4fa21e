//! What the HTTP services share: bearer authentication, RFC 9457 problems and the views they answer with.
