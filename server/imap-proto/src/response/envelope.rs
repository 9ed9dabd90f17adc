//! The ENVELOPE of a message (RFC 3501 7.4.2): values, and their wire form.

use super::string::nstring;

/// The fields of ENVELOPE, each as it stands in the mail: raw, RFC 2047 words not decoded.
///
/// `None` goes out as NIL. RFC 3501 7.4.2: an absent Sender or Reply-To takes the value of From;
/// whoever builds the envelope fills them in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The Date field.
    pub date: Option<Vec<u8>>,
    /// The Subject field.
    pub subject: Option<Vec<u8>>,
    /// The From field.
    pub from: Vec<Address>,
    /// The Sender field, or From.
    pub sender: Vec<Address>,
    /// The Reply-To field, or From.
    pub reply_to: Vec<Address>,
    /// The To field.
    pub to: Vec<Address>,
    /// The Cc field.
    pub cc: Vec<Address>,
    /// The Bcc field.
    pub bcc: Vec<Address>,
    /// The In-Reply-To field.
    pub in_reply_to: Option<Vec<u8>>,
    /// The Message-ID field.
    pub message_id: Option<Vec<u8>>,
}

/// One address structure. Group syntax is two marks (RFC 3501 7.4.2): the start has `host` NIL and
/// the group's name in `mailbox`; the end has both NIL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// The phrase before the address.
    pub name: Option<Vec<u8>>,
    /// The SMTP source route, nearly always NIL.
    pub adl: Option<Vec<u8>>,
    /// The local part, or a group's name.
    pub mailbox: Option<Vec<u8>>,
    /// The domain; NIL in group marks.
    pub host: Option<Vec<u8>>,
}

impl Address {
    /// The mark that opens a group.
    pub fn group_start(name: impl Into<Vec<u8>>) -> Self {
        Self {
            mailbox: Some(name.into()),
            ..Self::default()
        }
    }

    /// The mark that closes a group.
    pub fn group_end() -> Self {
        Self::default()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(b'(');
        nstring(out, self.name.as_deref());
        out.push(b' ');
        nstring(out, self.adl.as_deref());
        out.push(b' ');
        nstring(out, self.mailbox.as_deref());
        out.push(b' ');
        nstring(out, self.host.as_deref());
        out.push(b')');
    }
}

impl Envelope {
    /// Writes the parenthesised envelope, without the word ENVELOPE.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(b'(');
        nstring(out, self.date.as_deref());
        out.push(b' ');
        nstring(out, self.subject.as_deref());
        let lists = [
            &self.from,
            &self.sender,
            &self.reply_to,
            &self.to,
            &self.cc,
            &self.bcc,
        ];
        for addresses in lists {
            out.push(b' ');
            address_list(out, addresses);
        }
        out.push(b' ');
        nstring(out, self.in_reply_to.as_deref());
        out.push(b' ');
        nstring(out, self.message_id.as_deref());
        out.push(b')');
    }
}

/// RFC 3501: `"(" 1*address ")" / nil`, with no space between addresses.
fn address_list(out: &mut Vec<u8>, addresses: &[Address]) {
    if addresses.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for address in addresses {
        address.encode(out);
    }
    out.push(b')');
}

#[cfg(test)]
mod tests;
