//! The conformance suite of `sever-testkit` over every connector: see `tests/matrix`.
