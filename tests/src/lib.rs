//! What crosses a process boundary is tested here; see `it/`.
