//! The S/MIME certificate that an account's own copies are encrypted to.

use mail_directory::{ChangeError, DirectoryHandle};
use mail_smime::Certificate;
use storage_engine::request::Operation;

use super::accounts::Failure;
use super::engine::Engine;

/// Sets the certificate, given as PEM or base64, or takes it away.
pub(super) async fn set(
    directory: &DirectoryHandle,
    engine: &mut Engine,
    name: &str,
    certificate: Option<String>,
) -> Result<(), Failure> {
    let certificate = certificate.map(|text| Certificate::from_text(text.as_bytes()));
    let certificate = certificate
        .transpose()
        .map_err(|error| Failure::Engine(error.to_string()))?;
    let certificate = certificate.map(|certificate| certificate.der().into());
    let found = directory.lookup(name).await?;
    let account = found.ok_or(ChangeError::NoSuchAccount)?;
    let set = Operation::SetCertificate { certificate };
    engine.operation(account.id, set).await.map(drop)
}
