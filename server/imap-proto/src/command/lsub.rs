//! LSUB (RFC 3501 6.3.9).

/// LSUB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lsub {
    /// The reference name, UTF-8.
    pub reference: String,
    /// The pattern with `*` and `%`, UTF-8.
    pub pattern: String,
}
