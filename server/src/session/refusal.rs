//! What the owner refuses, as the client is told. The one place that maps it.

use imap_proto::response::code::Code;
use storage_engine::request::Refusal;

use super::Execution;
use super::completion::Completion;
use crate::transport::Gone;

/// What the refused name was to the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The mailbox that the command is about.
    Subject,
    /// Where APPEND, COPY or MOVE wanted to go: CREATE may help (RFC 3501 7.1).
    Destination,
}

/// The tagged NO, or BYE where the outcome is unknown.
pub fn refused(refusal: &Refusal, missing: Missing) -> Execution {
    let (code, text) = match refusal {
        Refusal::NoSuchMailbox if missing == Missing::Destination => {
            (Some(Code::TryCreate), "No such mailbox")
        }
        Refusal::NoSuchMailbox => (Some(Code::NonExistent), "No such mailbox"),
        Refusal::NoPermission => (Some(Code::NoPerm), "You may not do this to this mailbox"),
        Refusal::NoSuchAccount => return Err(Gone::Bye("Account is no longer served")),
        Refusal::AccountExists => (Some(Code::ServerBug), "Account exists"),
        Refusal::MailboxExists => (Some(Code::AlreadyExists), "Mailbox exists already"),
        Refusal::NoSelect => (
            Some(Code::Cannot),
            "This name holds no messages, only other names",
        ),
        Refusal::NotAllowed(text) => (Some(Code::Cannot), *text),
        Refusal::HasChildren => (Some(Code::HasChildren), "Mailbox has mailboxes below it"),
        Refusal::OverQuota => (Some(Code::OverQuota), "Account is over quota"),
        Refusal::Limit(text) => (Some(Code::Limit), *text),
        Refusal::MessageGone => (
            Some(Code::ExpungeIssued),
            "Some of the messages are gone; nothing was done",
        ),
        Refusal::Full => (
            Some(Code::Unavailable),
            "Storage is full; deleting still works",
        ),
        Refusal::ReadOnly => (
            Some(Code::Unavailable),
            "Storage is read-only at the moment",
        ),
        Refusal::Unreadable => (Some(Code::Corruption), "Stored data cannot be read"),
        Refusal::NoSuchUpload => (Some(Code::ServerBug), "Upload was lost"),
        Refusal::Unknown => return Err(Gone::Bye("Outcome unknown; connect again and look")),
    };
    Ok(match code {
        Some(code) => Completion::no_with(code, text),
        None => Completion::no(text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the client reads after the tag; `None` for BYE.
    fn told(refusal: &Refusal, missing: Missing) -> Option<String> {
        let completion = refused(refusal, missing).ok()?;
        let mut out = Vec::new();
        completion.encode(b"a", &mut out);
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn every_refusal_names_its_code() {
        for (refusal, begins) in [
            (Refusal::NoSuchMailbox, "a NO [NONEXISTENT] "),
            (Refusal::MailboxExists, "a NO [ALREADYEXISTS] "),
            (
                Refusal::NotAllowed("INBOX stays"),
                "a NO [CANNOT] INBOX stays",
            ),
            (Refusal::NoPermission, "a NO [NOPERM] "),
            (Refusal::HasChildren, "a NO [HASCHILDREN] "),
            (Refusal::OverQuota, "a NO [OVERQUOTA] "),
            (Refusal::Limit("too many"), "a NO [LIMIT] too many"),
            (Refusal::MessageGone, "a NO [EXPUNGEISSUED] "),
            (Refusal::Full, "a NO [UNAVAILABLE] "),
            (Refusal::ReadOnly, "a NO [UNAVAILABLE] "),
            (Refusal::Unreadable, "a NO [CORRUPTION] "),
        ] {
            let told = told(&refusal, Missing::Subject).unwrap();
            assert!(told.starts_with(begins), "{refusal:?}: {told}");
            assert!(told.ends_with("\r\n"), "{told}");
        }
    }

    #[test]
    fn only_a_missing_destination_is_to_be_created() {
        let told = told(&Refusal::NoSuchMailbox, Missing::Destination).unwrap();
        assert!(told.starts_with("a NO [TRYCREATE] "), "{told}");
    }

    #[test]
    fn an_unknown_outcome_has_no_tagged_answer() {
        assert_eq!(told(&Refusal::Unknown, Missing::Subject), None);
        assert_eq!(told(&Refusal::NoSuchAccount, Missing::Subject), None);
    }
}
