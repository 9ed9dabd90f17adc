//! AUTHENTICATE (RFC 3501 6.2.2) with an initial response (SASL-IR, RFC 4959).

use std::fmt;

/// AUTHENTICATE.
#[derive(Clone, PartialEq, Eq)]
pub struct Authenticate {
    /// The mechanism's name in upper case.
    pub mechanism: String,
    /// The initial response, decoded; `=` gives an empty one.
    pub initial_response: Option<Vec<u8>>,
}

/// A client's line during the exchange.
#[derive(Clone, PartialEq, Eq)]
pub enum SaslLine {
    /// A response, decoded.
    Response(Vec<u8>),
    /// `*`: the client gives up; answer tagged BAD.
    Cancel,
}

/// Never shows the response: it holds secrets.
impl fmt::Debug for Authenticate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Authenticate")
            .field("mechanism", &self.mechanism)
            .finish_non_exhaustive()
    }
}
