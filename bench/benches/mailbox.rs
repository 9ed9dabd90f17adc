//! What a session asks of a mailbox's view, without server and socket: what SELECT tells of a
//! million messages, and the walks of FETCH and SEARCH over a hundred thousand.

mod cpu;

use std::hint::black_box;
use std::ops::ControlFlow;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use imap_proto::response::FetchResponse;
use storage_engine::ids::{
    BodyId, ChangeNumber, MailboxId, ModSeq, Place, SegmentId, SessionKey, Uid, UidValidity,
};
use storage_engine::index::{Entry, MailboxIndex, MailboxSnapshot};
use storage_engine::request::{Flags, UidRange};
use storage_engine::view::{SessionView, View};

use crate::cpu::CpuTime;

/// Messages of the mailbox that is selected.
const SELECTED: u32 = 1_000_000;
/// Messages of the mailbox that is listed.
const LISTED: u32 = 100_000;

const SESSION: SessionKey = SessionKey {
    shard: 0,
    session: 1,
};
const EVERY: [UidRange; 1] = [UidRange {
    first: Uid(1),
    last: Uid(u32::MAX),
}];

/// All read but the last message, as mailboxes are.
fn snapshot(messages: u32) -> MailboxSnapshot {
    let place = Place {
        segment: SegmentId(1),
        offset: 0,
        len: 4096,
    };
    let mut index = MailboxIndex::default();
    for uid in 1..=messages {
        let is_last = uid == messages;
        index.add(Entry {
            uid: Uid(uid),
            mod_seq: ModSeq(u64::from(uid)),
            flags: if is_last { Flags(0) } else { Flags::SEEN },
            internal_date_s: 1_700_000_000,
            zone_min: 60,
            saved_s: 1_700_000_000,
            size: 4096,
            body: BodyId(u64::from(uid)),
            body_place: place,
            summary_place: place,
        });
    }
    index.fold();
    MailboxSnapshot {
        mailbox: MailboxId(1),
        index,
        keywords: Arc::default(),
        change: ChangeNumber(1),
        uid_validity: UidValidity(1),
        uid_next: Uid(messages + 1),
        highest_mod_seq: ModSeq(u64::from(messages)),
        acl: Default::default(),
    }
}

fn select(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("select_1000000");
    let snapshot = snapshot(SELECTED);
    group.bench_function("own_view", |bencher| {
        bencher.iter(|| {
            let mut view = View::new(snapshot.clone());
            let session = SessionView::new(&mut view, SESSION, None);
            let unseen = view.first_unseen();
            assert_eq!(unseen, Some(Uid(SELECTED)));
            black_box((session.exists(&view), session.recent_count(&view)))
        });
    });
    let mut view = View::new(snapshot);
    group.bench_function("shared_view", |bencher| {
        bencher.iter(|| {
            let session = SessionView::new(&mut view, SESSION, None);
            let told = (session.exists(&view), view.first_unseen());
            view.leave(session);
            black_box(told)
        });
    });
    group.finish();
}

fn list(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("list_100000");
    let mut view = View::new(snapshot(LISTED));
    let session = SessionView::new(&mut view, SESSION, None);
    let mut out = Vec::new();
    let fetch_flags = |out: &mut Vec<u8>| {
        out.clear();
        let _to_the_end = session.messages(&view, &EVERY).walk(|seq, message| {
            let seen = message.flags().contains(Flags::SEEN);
            FetchResponse::new(out, seq)
                .raw("FLAGS", if seen { b"(\\Seen)" } else { b"()" })
                .finish();
            ControlFlow::Continue(())
        });
    };
    fetch_flags(&mut out);
    group.throughput(Throughput::Bytes(
        u64::try_from(out.len()).unwrap_or(u64::MAX),
    ));
    group.bench_function("fetch_flags", |bencher| {
        bencher.iter(|| fetch_flags(black_box(&mut out)));
    });
    group.throughput(Throughput::Elements(u64::from(LISTED)));
    group.bench_function("search_unseen", |bencher| {
        bencher.iter(|| {
            let mut found = 0_u32;
            let _to_the_end = session.messages(&view, &EVERY).walk(|seq, message| {
                if !message.flags().contains(Flags::SEEN) {
                    found = seq;
                }
                ControlFlow::Continue(())
            });
            black_box(found)
        });
    });
    group.finish();
}

criterion_group!(name = benches; config = cpu::criterion(); targets = select, list);
criterion_main!(benches);
