//! SEARCH (RFC 3501 7.2.5, RFC 7162 3.1.5) and ESEARCH (RFC 4731) responses.

use super::string::{number, number64, string};
use crate::command::Numbering;
use crate::grammar::NumberSet;

/// Writes `* SEARCH ...`; `mod_seq` is the highest MODSEQ of the numbers listed, when the keys
/// named MODSEQ and something was found.
pub fn search(out: &mut Vec<u8>, numbers: impl IntoIterator<Item = u32>, mod_seq: Option<u64>) {
    out.extend_from_slice(b"* SEARCH");
    for value in numbers {
        out.push(b' ');
        number(out, value);
    }
    if let Some(mod_seq) = mod_seq {
        out.extend_from_slice(b" (MODSEQ ");
        number64(out, mod_seq);
        out.push(b')');
    }
    out.extend_from_slice(b"\r\n");
}

/// The answer to SEARCH RETURN. Absent values are left out: MIN, MAX and ALL when nothing was
/// found (RFC 4731 3.1), and whatever was not asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ESearchResponse<'a> {
    /// Tag of the command that is answered.
    pub tag: &'a [u8],
    /// What the numbers are.
    pub numbering: Numbering,
    /// MIN
    pub min: Option<u32>,
    /// MAX
    pub max: Option<u32>,
    /// ALL; an empty set is left out.
    pub all: Option<NumberSet>,
    /// COUNT
    pub count: Option<u32>,
    /// MODSEQ (RFC 7162 3.1.10)
    pub mod_seq: Option<u64>,
}

impl ESearchResponse<'_> {
    /// Writes the response.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"* ESEARCH (TAG ");
        string(out, self.tag);
        out.push(b')');
        if self.numbering == Numbering::Uid {
            out.extend_from_slice(b" UID");
        }
        let numbers: [(&[u8], Option<u32>); 3] = [
            (b" MIN ", self.min),
            (b" MAX ", self.max),
            (b" COUNT ", self.count),
        ];
        for (word, value) in numbers {
            if let Some(value) = value {
                out.extend_from_slice(word);
                number(out, value);
            }
        }
        if let Some(all) = self.all.as_ref().filter(|all| !all.is_empty()) {
            out.extend_from_slice(b" ALL ");
            all.encode(out);
        }
        if let Some(mod_seq) = self.mod_seq {
            out.extend_from_slice(b" MODSEQ ");
            number64(out, mod_seq);
        }
        out.extend_from_slice(b"\r\n");
    }
}
