use super::*;

fn line(reply: &Reply) -> String {
    let mut out = Vec::new();
    reply.encode(&mut out);
    String::from_utf8(out).expect("replies are UTF-8")
}

#[track_caller]
fn check(refusal: Refusal, start: &str) {
    let said = line(&Reply::refused(&refusal, OverQuota::Temporary));
    assert!(said.starts_with(start), "{refusal:?}: {said:?}");
}

#[test]
fn refusals_have_their_codes() {
    check(Refusal::NoSuchAccount, "550 5.1.1 ");
    check(Refusal::OverQuota, "452 4.2.2 ");
    check(Refusal::Full, "452 4.3.1 ");
    check(Refusal::Limit("mailbox has no UIDs left"), "452 4.2.2 ");
    check(Refusal::ReadOnly, "451 4.3.0 ");
    check(Refusal::Unknown, "451 4.3.0 ");
    check(Refusal::Unreadable, "451 4.3.0 ");
    check(Refusal::NoSuchUpload, "451 4.3.0 ");
    let permanent = Reply::refused(&Refusal::OverQuota, OverQuota::Permanent);
    assert!(line(&permanent).starts_with("552 5.2.2 "));
}

#[test]
fn a_reply_names_its_recipient_within_bounds() {
    assert_eq!(
        line(&Reply::DELIVERED.about("u@b")),
        "250 2.0.0 <u@b> Delivered\r\n"
    );
    let long = line(&Reply::DELIVERED.about(&"\u{fc}".repeat(1_000)));
    assert!(long.len() < 512, "{}", long.len());
}

#[test]
fn the_intermediate_reply_has_no_enhanced_code() {
    assert!(line(&Reply::GO_ON).starts_with("354 End"));
}

#[test]
fn lhlo_is_answered_with_all_extensions() {
    let mut out = Vec::new();
    extensions(&mut out, "mx.example.org", 1_000);
    assert_eq!(
        String::from_utf8(out).expect("ASCII"),
        "250-mx.example.org\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n\
         250-SIZE 1000\r\n250-ENHANCEDSTATUSCODES\r\n250 CHUNKING\r\n"
    );
}
