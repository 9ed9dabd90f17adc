//! AUTHENTICATE (RFC 3501 6.2.2) with an initial response (SASL-IR, RFC 4959).

use std::fmt;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Arguments, Command};
use crate::grammar::{Parsed, SyntaxError};

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

/// Parses the arguments.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    let cursor = &mut arguments.cursor;
    cursor.sp()?;
    let mechanism = String::from_utf8_lossy(cursor.atom()?).to_ascii_uppercase();
    let mut initial_response = None;
    if cursor.peek() == Some(b' ') {
        cursor.sp()?;
        let encoded = cursor.take_while(|byte| byte != b' ');
        // RFC 4959 section 3: `=` is a response of no bytes.
        initial_response = match encoded {
            b"" => None,
            b"=" => Some(Vec::new()),
            encoded => Some(decode_base64(encoded)?),
        };
    }
    Ok(Command::Authenticate(Authenticate {
        mechanism,
        initial_response,
    }))
}

impl SaslLine {
    /// Reads a line that the client sent in answer to a challenge.
    pub fn parse(line: &[u8]) -> Parsed<Self> {
        match line {
            b"*" => Ok(Self::Cancel),
            // An empty response after the initial `+ ` of SASL-IR clients is `=` here and there.
            b"=" => Ok(Self::Response(Vec::new())),
            encoded => decode_base64(encoded).map(Self::Response),
        }
    }
}

/// Clients disagree about padding; both forms mean the same.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn decode_base64(encoded: &[u8]) -> Parsed<Vec<u8>> {
    BASE64.decode(encoded).map_err(|_| SyntaxError::Base64)
}

/// Never shows the response: it holds secrets.
impl fmt::Debug for SaslLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Response(_) => "Response",
            Self::Cancel => "Cancel",
        })
    }
}
