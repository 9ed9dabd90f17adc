use super::decode_value;

#[track_caller]
fn check(value: &str, text: &str) {
    assert_eq!(
        decode_value(b"Subject", value.as_bytes()),
        text,
        "{value:?}"
    );
}

#[test]
fn encoded_words_are_decoded_where_they_stand() {
    check(" plain\r\n text\r\n", "plain text");
    check("=?utf-8?q?a=C3=A4_b?= c", "a\u{e4} b c");
    check("=?ISO-8859-1*de?Q?=E4?=", "\u{e4}");
    check("=?utf-8?B?w6Q=?=\r\n =?utf-8?b?w7Y=?= x", "\u{e4}\u{f6} x");
    check("\"=?utf-8?q?=C3=A4?=\" <a@b>", "\"\u{e4}\" <a@b>");
    // A character cut in two by the mailer.
    check("=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "\u{e4}");
    check("=?iso-8859-1?q?=E4?= =?utf-8?q?=C3=B6?=", "\u{e4}\u{f6}");
    check("raw \u{e4}", "raw \u{e4}");
}

#[test]
fn what_is_no_encoded_word_stays() {
    check("=?", "=?");
    check("a =?utf-8?q?b", "a =?utf-8?q?b");
    check("=?utf-8?x?b?= c", "=?utf-8?x?b?= c");
    check("=?=?=?utf-8?q?b?=", "=?=?b");
    check("=?x-unknown?q?b?=", "b");
}

#[test]
fn many_words_without_an_end_take_no_time() {
    let value = "=?utf-8?q?x".repeat(100_000);
    assert_eq!(
        decode_value(b"Subject", value.as_bytes()).len(),
        value.len()
    );
}

#[test]
fn split_and_encoded_parameters_are_put_together() {
    let value = b"attachment; filename*0*=utf-8''a%C3; filename*1*=%A4; filename*2=\".txt\"";
    let text = decode_value(b"Content-Disposition", value);
    assert!(text.ends_with("; filename=a\u{e4}.txt"), "{text}");
    let text = decode_value(b"Content-Type", b"text/plain; name*=iso-8859-1'en'%E4");
    assert!(text.ends_with("; name=\u{e4}"), "{text}");
}
