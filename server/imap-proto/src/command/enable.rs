//! ENABLE (RFC 5161).

/// ENABLE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enable {
    /// The names in upper case, known or not. Not empty.
    pub capabilities: Vec<String>,
}
