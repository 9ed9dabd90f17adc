//! The account's own S/MIME certificate: bytes that the engine keeps and does not look into.

use std::sync::Arc;

use super::{AccountState, Planned, ReplyDraft};
use crate::record::Record;
use crate::request::Refusal;
use crate::state_limits::CERTIFICATE_BYTES_MAX;

impl AccountState {
    /// The certificate, if there is one.
    pub fn certificate(&self) -> Option<Arc<[u8]>> {
        self.certificate.clone()
    }

    pub(super) fn plan_set_certificate(
        &self,
        certificate: Option<&Arc<[u8]>>,
    ) -> Result<Planned, Refusal> {
        if self.certificate.as_ref() == certificate {
            return Ok(Planned::nothing(ReplyDraft::Done));
        }
        let certificate = certificate.map_or_else(Vec::new, |bytes| bytes.to_vec());
        if certificate.len() > CERTIFICATE_BYTES_MAX {
            return Err(Refusal::Limit("certificate is too large"));
        }
        let records = vec![Record::CertificateSet { certificate }];
        Ok(Planned::new(records, ReplyDraft::Done))
    }

    /// No bytes are no certificate.
    pub(in crate::account) fn set_certificate(&mut self, certificate: &[u8]) {
        self.certificate = (!certificate.is_empty()).then(|| certificate.into());
    }
}
