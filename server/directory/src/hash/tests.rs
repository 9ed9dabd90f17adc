use super::*;

const PASSWORD: &str = "correct horse";

/// The text is a hash of [`PASSWORD`], whoever wrote it.
#[track_caller]
fn check(text: &str) {
    let hash = StoredHash::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert!(hash.verify(&Password::from(PASSWORD)), "{text}");
    assert!(!hash.verify(&Password::from("correct hors")), "{text}");
    assert!(!hash.verify(&Password::from("correct horse ")), "{text}");
    let again = StoredHash::parse(hash.as_str()).unwrap();
    assert!(
        again.verify(&Password::from(PASSWORD)),
        "what is stored reads as the same: {text}"
    );
}

#[track_caller]
fn refused(text: &str, error: HashError) {
    assert_eq!(StoredHash::parse(text).err(), Some(error), "{text}");
}

#[test]
fn our_own_hashes_verify_and_are_salted() {
    let hash = StoredHash::of(&Password::from(PASSWORD)).unwrap();
    assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    check(hash.as_str());
    check(&format!("{{ARGON2ID}}{}", hash.as_str()));
    let other = StoredHash::of(&Password::from(PASSWORD)).unwrap();
    assert_ne!(hash.as_str(), other.as_str());
    assert!(!hash.wants_upgrade());
}

#[test]
fn salted_digests_verify() {
    // Written with Python's hashlib.
    check("{SSHA}vDKMdeEIlmWKn2Q3r2zB42B5Vs1wZXBwZXIxMg==");
    check("{ssha}vDKMdeEIlmWKn2Q3r2zB42B5Vs1wZXBwZXIxMg");
    check("{SSHA256}DYd8s6fSUwKVJtS4UlkBx5qA6upp4On0Ju40YHhrMnNwZXBwZXIxMg==");
    check("{SSHA256.b64}DYd8s6fSUwKVJtS4UlkBx5qA6upp4On0Ju40YHhrMnNwZXBwZXIxMg==");
    check(
        "{SSHA512}22tE7tEBvrsyFGRUA7bV498EbF5YLSua11z99J9qJ+Y2buHvfwFmKZtfrVzcr7y2Tf4TYpjVj5tJu\
         R/fWuAF7XBlcHBlcjEy",
    );
    check("{SHA}L55TUjtiq8FBorTWAZ0jy6g129A=");
    check("{SHA256}QQTTb42iwlQ0n4WDZ5Pr4CngyVcGOjTJHC6SAxh7VjE=");
    check(
        "{SHA512}VraY3v7bWkNbY0r+MyC7rz/c2SC2xQOkRvx7endrKY1HnRumqLYXgI6wv1ec6aldZoNHvKtxSQhay\
         TyyeZUZew==",
    );
}

#[test]
fn crypt_hashes_verify() {
    // Written with openssl passwd and with libxcrypt.
    check("$5$NaClNaCl$QoSImwTreUcnxvRwM.CdIv9Gu09EireSFXZWV/uc1nD");
    check("{SHA256-CRYPT}$5$NaClNaCl$QoSImwTreUcnxvRwM.CdIv9Gu09EireSFXZWV/uc1nD");
    check(
        "{SHA512-CRYPT}$6$NaClNaCl$9JalN3YwHg4oYoo29rQJ6lgqGuZnsl.h2AVT6FiC8600qIHDAVSGnTGY9BrG\
         Enbelq8emOZS8f1yYPA/VmlTV1",
    );
    check(
        "{CRYPT}$6$rounds=6000$NaClNaCl$cd.fEjHbiMUt3gz3P3B.Do9UMnpJvRkZ8cruYSvJBn3MkltTcXtKewE\
         HWbeOchFSF0V/2eameOOwdpmA9l0vf0",
    );
    check("$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e");
    check("{BLF-CRYPT}$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2");
}

#[test]
fn pbkdf2_hashes_verify() {
    // Written with Python's hashlib in the forms of passlib, PHC and Dovecot.
    check("$pbkdf2$1000$c2FsdHlzYWx0MTIzNDU2Nw$7xWNxZVWqobnlp4DtySaSZ5vQEY");
    check("$pbkdf2-sha256$1000$c2FsdHlzYWx0MTIzNDU2Nw$PFGB7Uh0eLW8kg2WXb.o1EC9QHjzP3mo8hJijCK4GmQ");
    check(
        "$pbkdf2-sha512$1000$c2FsdHlzYWx0MTIzNDU2Nw$t2wXQfDiVHHNVuGIzvCbP7TAgaqVGXpNT9yxNJvx2h1y\
         ORuf/140I3Q5qCaOtREapZKJm6WD4goyTHuEwL3trw",
    );
    check(
        "$pbkdf2-sha256$i=1000,l=32$c2FsdHlzYWx0MTIzNDU2Nw$PFGB7Uh0eLW8kg2WXb+o1EC9QHjzP3mo8hJij\
         CK4GmQ",
    );
    check("{PBKDF2}$1$abcdefgh$500$0175368bb7263451474a20bb718b9d4ce436ab79");
}

#[test]
fn plain_passwords_verify_and_are_to_be_replaced() {
    check("{PLAIN}correct horse");
    check("{CLEARTEXT}correct horse");
    check("{PLAIN.b64}Y29ycmVjdCBob3JzZQ==");
    assert!(
        StoredHash::parse("{PLAIN}correct horse")
            .unwrap()
            .wants_upgrade()
    );
}

#[test]
fn what_cannot_be_verified_is_refused() {
    refused("correct horse", HashError::Scheme);
    refused("", HashError::Scheme);
    refused("{MD5}abc", HashError::Scheme);
    refused("$1$salt$abcdefghijklmnopqrstuv", HashError::Scheme);
    refused("{SSHA}L55TUjtiq8FBorTWAZ0jy6g129A=", HashError::Malformed);
    refused("{SSHA}not base64!", HashError::Malformed);
    refused("{SSHA", HashError::Malformed);
    refused("{PLAIN}", HashError::Malformed);
    refused("{PLAIN.b64}correct horse", HashError::Malformed);
    refused("{PLAIN}a\nb", HashError::Malformed);
    refused("$6$NaClNaCl$short", HashError::Malformed);
    refused("$2b$04$tooshort", HashError::Malformed);
    refused(
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ",
        HashError::Malformed,
    );
    refused(
        "$pbkdf2$0$c2FsdA$7xWNxZVWqobnlp4DtySaSZ5vQEY",
        HashError::Malformed,
    );
    refused("$pbkdf2$1000$c2FsdA$7xWN", HashError::Malformed);
}

/// A hash with 999,999,999 rounds is valid by its format and would keep a thread for minutes at
/// every login.
#[test]
fn hashes_that_cost_too_much_are_refused() {
    let tail = "NaClNaCl$QoSImwTreUcnxvRwM.CdIv9Gu09EireSFXZWV/uc1nD";
    refused(&format!("$5$rounds=999999999${tail}"), HashError::TooCostly);
    refused(
        "$2b$15$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
        HashError::TooCostly,
    );
    refused(
        "$pbkdf2$99999999$c2FsdA$7xWNxZVWqobnlp4DtySaSZ5vQEY",
        HashError::TooCostly,
    );
    let argon2 = "c2FsdHNhbHQ$PFGB7Uh0eLW8kg2WXb+o1EC9QHjzP3mo8hJijCK4GmQ";
    refused(
        &format!("$argon2id$v=19$m=4194304,t=2,p=1${argon2}"),
        HashError::TooCostly,
    );
}

#[test]
fn secrets_do_not_show() {
    let password = Password::from("hunter2");
    let hash = StoredHash::parse("{PLAIN}hunter2").unwrap();
    assert!(!format!("{password:?} {hash:?}").contains("hunter2"));
}
