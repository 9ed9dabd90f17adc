//! OpenSSL opens what was sealed, and finds the very bytes of the original.

use std::path::Path;
use std::process::Command;

use getrandom::SysRng;
use mail_smime::{Certificate, CertificateError, encrypt};
use rand_core::UnwrapErr;

const MESSAGE: &[u8] = b"From: Anna <anna@example.org>\r\n\
    Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n\
    MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Transfer-Encoding: 8bit\r\n\r\n\
    Gr\xc3\xbc\xc3\x9fe\r\n.\r\nwith \x00 and a bare\nLF\r\n";

/// Runs OpenSSL; `None` where there is none.
fn openssl(folder: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
    let run = Command::new("openssl")
        .current_dir(folder)
        .args(arguments)
        .output();
    let output = match run {
        Ok(output) => output,
        Err(_) => {
            println!("SKIPPED: openssl is not installed");
            return None;
        }
    };
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments:?}: {error}");
    Some(output.stdout)
}

/// A self-signed certificate for a key of this kind, in the folder as cert.pem and key.pem.
fn certificate(folder: &Path, key: &[&str], usage: &str) -> Option<Vec<u8>> {
    let fixed = "req -x509 -nodes -keyout key.pem -out cert.pem -days 9 -subj /O=\u{fc}/CN=Anna";
    let mut arguments: Vec<&str> = fixed.split(' ').collect();
    let usage = format!("keyUsage={usage}");
    arguments.extend(["-utf8", "-addext", &usage, "-newkey"]);
    arguments.extend(key);
    openssl(folder, &arguments)?;
    Some(std::fs::read(folder.join("cert.pem")).unwrap())
}

#[track_caller]
fn check(key: &[&str], usage: &str, message: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let Some(pem) = certificate(folder.path(), key, usage) else {
        return;
    };
    let certificate = Certificate::from_text(&pem).unwrap();
    let again = Certificate::from_der(certificate.der().to_vec()).unwrap();
    let sealed = encrypt(message, &again, &mut UnwrapErr(SysRng)).unwrap();
    assert!(sealed.starts_with(b"From: Anna") || message.is_empty());
    std::fs::write(folder.path().join("sealed.eml"), &sealed).unwrap();
    let opened = openssl(
        folder.path(),
        &[
            "cms",
            "-decrypt",
            "-in",
            "sealed.eml",
            "-recip",
            "cert.pem",
            "-inkey",
            "key.pem",
        ],
    );
    assert!(opened.unwrap() == message, "{key:?}");
}

#[test]
fn openssl_opens_what_was_sealed_to_an_rsa_key() {
    check(&["rsa:2048"], "keyEncipherment", MESSAGE);
    check(&["rsa:2048"], "keyEncipherment,digitalSignature", b"");
}

#[test]
fn openssl_opens_what_was_sealed_to_an_elliptic_curve() {
    for curve in ["ec_paramgen_curve:P-256", "ec_paramgen_curve:P-384"] {
        check(&["ec", "-pkeyopt", curve], "keyAgreement", MESSAGE);
    }
}

#[test]
fn openssl_opens_a_large_message() {
    let mut message = b"From: Anna\r\n\r\n".to_vec();
    for line in 0..40_000 {
        message.extend_from_slice(format!("line {line} of a long message\r\n").as_bytes());
    }
    check(&["rsa:3072"], "keyEncipherment", &message);
}

#[test]
fn the_same_message_is_never_sealed_alike() {
    let folder = tempfile::tempdir().unwrap();
    let Some(pem) = certificate(folder.path(), &["rsa:2048"], "keyEncipherment") else {
        return;
    };
    let certificate = Certificate::from_text(&pem).unwrap();
    let seal = || encrypt(MESSAGE, &certificate, &mut UnwrapErr(SysRng)).unwrap();
    assert!(seal() != seal());
}

#[test]
fn keys_that_are_not_for_encryption_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |key: &[&str], usage: &str, expected: CertificateError| {
        if let Some(pem) = certificate(folder.path(), key, usage) {
            let read = Certificate::from_text(&pem).map(drop);
            assert_eq!(read, Err(expected), "{key:?} {usage}");
        }
    };
    refused(&["rsa:2048"], "digitalSignature", CertificateError::Usage);
    refused(&["rsa:1024"], "keyEncipherment", CertificateError::Key);
    refused(&["ed25519"], "digitalSignature", CertificateError::Key);
}

#[test]
fn what_is_no_certificate_is_refused() {
    let check = |text: &[u8], expected| {
        assert_eq!(Certificate::from_text(text).map(drop), Err(expected));
    };
    check(b"!", CertificateError::Base64);
    check(b"", CertificateError::Malformed);
    check(b"MAA=", CertificateError::Malformed);
    check(&[b'A'; 100_000], CertificateError::TooLarge);
    let nested = b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    check(nested, CertificateError::Malformed);
}
