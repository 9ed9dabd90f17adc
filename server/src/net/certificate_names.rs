//! Which names a certificate is for.

use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, DnsName, ServerName};
use rustls::server::ParsedCertificate;

/// DER of the object identifier 2.5.29.17, subjectAltName (RFC 5280 4.2.1.6).
const SUBJECT_ALT_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x1d, 0x11];

/// DER tags on the way to a dNSName: OCTET STRING around SEQUENCE of GeneralName.
const TAG_BOOLEAN: u8 = 0x01;
const TAG_OCTET_STRING: u8 = 0x04;
const TAG_SEQUENCE: u8 = 0x30;
const TAG_DNS_NAME: u8 = 0x82;

/// Names per certificate that are looked at.
const NAMES_MAX: usize = 1000;

/// The DNS names of a certificate in lower case; `*.example.org` for a wildcard.
///
/// rustls checks names but does not list them. This walk may be fooled by odd certificates, so it
/// only proposes; every proposal is put to rustls before it counts.
pub(super) fn dns_names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok(parsed) = ParsedCertificate::try_from(certificate) else {
        return Vec::new();
    };
    proposed_names(certificate)
        .into_iter()
        .filter(|name| is_for(&parsed, name))
        .collect()
}

fn is_for(certificate: &ParsedCertificate<'_>, name: &str) -> bool {
    let example = match name.strip_prefix("*.") {
        Some(parent) => format!("any.{parent}"),
        None => name.to_owned(),
    };
    DnsName::try_from(example)
        .is_ok_and(|name| verify_server_name(certificate, &ServerName::DnsName(name)).is_ok())
}

fn proposed_names(certificate: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    for position in memchr::memmem::find_iter(certificate, &SUBJECT_ALT_NAME) {
        let behind = certificate
            .get(position + SUBJECT_ALT_NAME.len()..)
            .unwrap_or_default();
        let Some(mut general_names) = general_names(behind) else {
            continue;
        };
        while let Some((tag, value, rest)) = element(general_names) {
            general_names = rest;
            let name = std::str::from_utf8(value)
                .ok()
                .filter(|_| tag == TAG_DNS_NAME);
            names.extend(name.map(str::to_ascii_lowercase));
            if names.len() >= NAMES_MAX {
                return names;
            }
        }
    }
    names
}

/// The content of the SEQUENCE of general names behind the extension's identifier.
fn general_names(extension: &[u8]) -> Option<&[u8]> {
    let (mut tag, mut value, rest) = element(extension)?;
    if tag == TAG_BOOLEAN {
        // `critical` stands before the value when it is true.
        (tag, value, _) = element(rest)?;
    }
    if tag != TAG_OCTET_STRING {
        return None;
    }
    let (tag, value, _) = element(value)?;
    (tag == TAG_SEQUENCE).then_some(value)
}

/// Splits one DER element off: tag, content, rest. Lengths of up to two octets suffice here.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => rest
            .split_first()
            .map(|(length, rest)| (usize::from(*length), rest))?,
        0x82 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((tag, value, rest))
}
