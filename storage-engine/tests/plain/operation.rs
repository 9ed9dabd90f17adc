//! Random operations by name, for the model and for the engine.

use std::sync::Arc;

use storage_engine::acl::{AclAction, AclChange, Identifier, Rights};
use storage_engine::ids::{MailboxId, ModSeq, SessionKey, Uid};
use storage_engine::request::*;
use storage_engine::testing::Rng;

use super::PlainAccount;

/// An operation in terms of names.
#[derive(Debug, Clone)]
pub enum PlainOperation {
    Create {
        name: String,
        holds: Holds,
        class: String,
    },
    Classify {
        name: String,
        class: String,
    },
    Delete {
        name: String,
    },
    Rename {
        from: String,
        to: String,
    },
    Subscribe {
        name: String,
    },
    Unsubscribe {
        name: String,
    },
    Select {
        name: String,
    },
    Append {
        name: String,
        messages: Vec<PlainNew>,
        /// UID of a message that goes, and what to do where there is none.
        replaces: Option<(u32, GoneMessages)>,
    },
    Store {
        name: String,
        uids: Vec<UidRange>,
        action: StoreAction,
        system: Flags,
        keywords: Vec<String>,
        unchanged_since: Option<u64>,
    },
    Expunge {
        name: String,
        uids: Option<Vec<UidRange>>,
    },
    Transfer {
        from: String,
        to: String,
        uids: Vec<UidRange>,
        kind: TransferKind,
        gone: GoneMessages,
    },
    Give {
        name: String,
        rights: u16,
    },
    PostAlert {
        text: String,
    },
    TakeAlerts {
        seen: u64,
    },
    RemoveAlert {
        number: u64,
    },
}

/// What every account may hold: little, so that it is reached.
pub const LIMIT: Limit = Limit {
    bytes_max: Some(80_000),
    messages_max: Some(60),
    alert_percent: Some(70),
    mailboxes_max: None,
};

/// A message to append; its octets follow from its tag and size.
#[derive(Debug, Clone)]
pub struct PlainNew {
    pub system: Flags,
    pub keywords: Vec<String>,
    pub tag: i64,
    pub size: u32,
}

/// The octets of the message with this tag.
pub fn body_of(tag: i64, size: u32) -> Vec<u8> {
    let mut rng = Rng::new(tag as u64);
    let words = (0..size.div_ceil(8)).flat_map(|_| rng.next_u64().to_le_bytes());
    words.take(size as usize).collect()
}

/// The summary of the message with this tag.
pub fn summary_of(tag: i64) -> Vec<u8> {
    format!("summary of {tag}").into_bytes()
}

const SESSION: SessionKey = SessionKey {
    shard: 0,
    session: 1,
};
const NAMES: [&str; 10] = [
    "INBOX",
    "a",
    "a/b",
    "a/b/c",
    "d",
    "d/e",
    "INBOX/x",
    "b",
    "b/\u{e9}",
    "deep/er/still",
];
const KEYWORDS: [&str; 7] = [
    "$Forwarded",
    "$forwarded",
    "Work",
    "WORK",
    "later",
    "$Media",
    "$MEDIA",
];

impl PlainOperation {
    /// A random operation on an account. `tag` names the contents of messages, above all before.
    pub fn random(rng: &mut Rng, account: &PlainAccount, tag: &mut i64) -> PlainOperation {
        let any = |rng: &mut Rng| NAMES[rng.below(NAMES.len() as u64) as usize].to_owned();
        let mailboxes = account
            .mailboxes
            .iter()
            .filter(|(_, mailbox)| mailbox.is_some());
        let held: Vec<&String> = mailboxes.map(|(name, _)| name).collect();
        let held = |rng: &mut Rng| held[rng.below(held.len() as u64) as usize].clone();
        match rng.below(100) {
            0..6 => PlainOperation::Create {
                name: any(rng),
                holds: [Holds::Messages, Holds::Names][usize::from(rng.percent(30))],
                class: class(rng),
            },
            6..8 => PlainOperation::Classify {
                name: any(rng),
                class: class(rng),
            },
            8..12 => PlainOperation::Delete { name: any(rng) },
            12..17 => PlainOperation::Rename {
                from: any(rng),
                to: any(rng),
            },
            17..20 => PlainOperation::Subscribe { name: any(rng) },
            20..22 => PlainOperation::Unsubscribe { name: any(rng) },
            22..25 => PlainOperation::Select { name: any(rng) },
            25..55 => {
                let name = if rng.percent(90) { held(rng) } else { any(rng) };
                append(rng, account, tag, name)
            }
            55..75 => {
                let name = held(rng);
                let since = rng.percent(20).then(|| rng.below(60));
                PlainOperation::Store {
                    uids: uids(rng, account, &name),
                    name,
                    action: [StoreAction::Replace, StoreAction::Add, StoreAction::Remove]
                        [rng.below(3) as usize],
                    system: Flags(rng.next_u64() & 31),
                    keywords: keywords(rng),
                    unchanged_since: since,
                }
            }
            75..84 => {
                let name = held(rng);
                let named = rng.percent(50);
                let uids = named.then(|| uids(rng, account, &name));
                PlainOperation::Expunge { name, uids }
            }
            84..87 => PlainOperation::Give {
                name: any(rng),
                rights: (rng.next_u64() & 0x7ff) as u16,
            },
            87..91 => of_alerts(rng),
            _ => {
                let from = held(rng);
                let kinds = [TransferKind::Copy, TransferKind::Move];
                let gone = [GoneMessages::Refuse, GoneMessages::PassOver];
                PlainOperation::Transfer {
                    uids: uids(rng, account, &from),
                    from,
                    to: if rng.percent(85) { held(rng) } else { any(rng) },
                    kind: kinds[rng.below(2) as usize],
                    gone: gone[rng.below(2) as usize],
                }
            }
        }
    }

    /// The engine's operation. `id` finds mailboxes by name.
    pub fn to_engine(&self, id: impl Fn(&str) -> MailboxId) -> Operation {
        match self.clone() {
            PlainOperation::Create { name, holds, class } => Operation::CreateMailbox {
                mailbox: NewMailbox {
                    name,
                    holds,
                    class,
                    ..NewMailbox::default()
                },
                limit: Limit::default(),
            },
            PlainOperation::Delete { name } => Operation::DeleteMailbox { name },
            PlainOperation::Rename { from, to } => Operation::RenameMailbox {
                from,
                to,
                limit: Limit::default(),
            },
            PlainOperation::Classify { name, class } => Operation::SetClass { name, class },
            PlainOperation::Subscribe { name } => Operation::Subscribe { name },
            PlainOperation::Unsubscribe { name } => Operation::Unsubscribe { name },
            PlainOperation::Select { name } => Operation::Select {
                name,
                access: Access::ReadWrite,
                session: SESSION,
            },
            PlainOperation::Give { name, rights } => give(name, rights),
            PlainOperation::PostAlert { text } => alerts(AlertOperation::Post { text }),
            PlainOperation::TakeAlerts { seen } => alerts(AlertOperation::Take {
                seen,
                limit: Some(LIMIT),
            }),
            PlainOperation::RemoveAlert { number } => alerts(AlertOperation::Remove { number }),
            messages => messages.of_messages(id),
        }
    }

    fn of_messages(self, id: impl Fn(&str) -> MailboxId) -> Operation {
        match self {
            PlainOperation::Append {
                name,
                messages,
                replaces,
            } => Operation::Append {
                mailbox: Target::Name(name),
                messages: messages.iter().map(PlainNew::to_engine).collect(),
                replaces: replaces.map(|(uid, gone)| Replaces {
                    uid: Uid(uid),
                    gone,
                }),
                limit: LIMIT,
            },
            PlainOperation::Store {
                name,
                uids,
                action,
                system,
                keywords,
                unchanged_since,
            } => Operation::Store(Store {
                mailbox: id(&name),
                uids,
                action,
                flags: FlagNames { system, keywords },
                unchanged_since: unchanged_since.map(ModSeq),
                session: SESSION,
                silent: false,
            }),
            PlainOperation::Expunge { name, uids } => Operation::Expunge {
                mailbox: id(&name),
                uids,
            },
            PlainOperation::Transfer {
                from,
                to,
                uids,
                kind,
                gone,
            } => Operation::Transfer(Transfer {
                from: id(&from),
                uids,
                to,
                kind,
                gone,
                limit: LIMIT,
            }),
            _ => unreachable!("to_engine has the others"),
        }
    }
}

fn of_alerts(rng: &mut Rng) -> PlainOperation {
    match rng.below(4) {
        0..2 => PlainOperation::PostAlert {
            text: format!("alert {}", rng.below(100)),
        },
        2 => PlainOperation::TakeAlerts { seen: rng.below(9) },
        _ => PlainOperation::RemoveAlert {
            number: 1 + rng.below(9),
        },
    }
}

/// The right of anyone to these.
fn give(name: String, rights: u16) -> Operation {
    let change = AclChange {
        identifier: Identifier::Anyone,
        negative: false,
        action: AclAction::Replace,
        rights: Rights::from_bits(rights).unwrap(),
    };
    let changes = vec![change];
    Operation::ChangeAcl { name, changes }
}

impl PlainNew {
    fn random(rng: &mut Rng, tag: &mut i64) -> PlainNew {
        *tag += 1;
        PlainNew {
            system: Flags(rng.next_u64() & 31),
            keywords: keywords(rng),
            tag: *tag,
            size: rng.below(3000) as u32,
        }
    }

    fn to_engine(&self) -> NewMessage {
        NewMessage {
            flags: FlagNames {
                system: self.system,
                keywords: self.keywords.clone(),
            },
            internal_date_s: self.tag,
            internal_date_zone_min: 90,
            size: self.size,
            body: NewBody::Inline(Arc::from(body_of(self.tag, self.size))),
            summary: Arc::from(summary_of(self.tag)),
        }
    }
}

fn append(rng: &mut Rng, account: &PlainAccount, tag: &mut i64, name: String) -> PlainOperation {
    let messages = (0..1 + rng.below(3)).map(|_| PlainNew::random(rng, tag));
    let messages = messages.collect();
    let replaces = rng.percent(30).then(|| replaced(rng, account, &name));
    PlainOperation::Append {
        name,
        messages,
        replaces,
    }
}

fn class(rng: &mut Rng) -> String {
    ["", "IPF.Contact", "IPF.Task"][rng.below(3) as usize].to_owned()
}

fn replaced(rng: &mut Rng, account: &PlainAccount, name: &str) -> (u32, GoneMessages) {
    let held = account.mailboxes.get(name).and_then(Option::as_ref);
    let uid = 1 + rng.below(u64::from(held.map_or(1, |held| held.uid_next))) as u32;
    let gone = [GoneMessages::Refuse, GoneMessages::PassOver];
    (uid, gone[rng.below(2) as usize])
}

fn keywords(rng: &mut Rng) -> Vec<String> {
    let chosen = KEYWORDS.iter().filter(|_| rng.percent(20));
    chosen.map(|keyword| (*keyword).to_owned()).collect()
}

fn uids(rng: &mut Rng, account: &PlainAccount, name: &str) -> Vec<UidRange> {
    let next = account.mailboxes[name]
        .as_ref()
        .map_or(1, |mailbox| mailbox.uid_next);
    let (mut ranges, mut from) = (Vec::new(), 1);
    while from < next + 2 {
        let first = from + rng.below(4) as u32;
        let last = first + rng.below(3) as u32;
        ranges.push(UidRange {
            first: Uid(first),
            last: Uid(last),
        });
        from = last + 1;
    }
    ranges
}

fn alerts(operation: AlertOperation) -> Operation {
    Operation::Alerts(operation)
}
