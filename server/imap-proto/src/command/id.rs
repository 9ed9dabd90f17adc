//! ID (RFC 2971).

/// ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id {
    /// Pairs of field and value; empty for NIL.
    pub fields: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}
