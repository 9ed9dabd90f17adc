//! Clients that know only what they are told must converge: the scheme as a random model, with
//! several cores that are fed late, CONDSTORE, folds, moved frames and lost changes.

mod client;
mod owner;

use std::collections::VecDeque;

use super::{By, ChangeKind, Condstore, Event, Expunges, View};
use crate::ids::{ChangeNumber, Place, SegmentId, Uid};
use crate::testing::Rng;
use client::Client;
use owner::{Core, Owner};

/// `lossy` loses changes on the way, so that views catch up by snapshots. Then a coalesced
/// difference hides when a message came and went, so only the clients' convergence is checked.
fn run(seed: u64, lossy: bool) {
    let mut rng = Rng::new(seed);
    let mut owner = Owner::new();
    let mut cores: Vec<Core> = (0..2)
        .map(|_| Core {
            view: View::new(owner.snapshot()),
            feed: VecDeque::new(),
        })
        .collect();
    let mut clients = enter_four(&mut owner, &mut cores, &mut rng);
    for step in 0..150u64 {
        let at = rng.below(clients.len() as u64) as usize;
        let core = clients[at].core;
        match rng.below(100) {
            0..20 => owner.append(&mut rng, &mut cores),
            20..30 => owner.expunge(&mut rng, &mut cores),
            30..35 => fold(&mut owner, &mut rng, &mut cores),
            35..37 => {
                owner.keywords.push(format!("k{step}"));
                let name = format!("k{step}");
                owner.publish(ChangeKind::Keyword { name }, &mut cores);
            }
            37..40 => {
                let old = clients.swap_remove(at);
                cores[core].view.leave(old.view);
                clients.push(Client::enter(core, &mut cores, 100 + step, &mut rng));
            }
            40..55 => cores[core].feed(None, &owner, &mut rng, lossy),
            55..70 => store(
                &mut owner,
                &mut clients[at],
                &mut cores,
                &mut rng,
                seed,
                lossy,
            ),
            70..85 => clients[at].tell(Expunges::Hold, &mut cores, seed),
            85..88 => {
                let upto = ChangeNumber(rng.below(owner.now.0 + 1));
                if !lossy {
                    clients[at].tell(Expunges::TellUpTo(upto), &mut cores, seed);
                }
            }
            _ => {
                let now = owner.now;
                cores[core].feed(Some(now), &owner, &mut rng, lossy);
                clients[at].tell(Expunges::Tell, &mut cores, seed);
                let live: Vec<Uid> = owner.index.iter().map(|entry| entry.uid).collect();
                assert_eq!(clients[at].uids, live, "seed {seed}");
                clients[at].check_converged(&owner, seed);
                assert!(
                    !clients[at].view.has_untold(&cores[core].view),
                    "seed {seed}"
                );
            }
        }
        if !lossy {
            for client in &clients {
                client.check(&owner, &cores, &mut rng, seed);
            }
        }
    }
    finish(owner, clients, cores, rng, seed, lossy);
}

fn enter_four(owner: &mut Owner, cores: &mut [Core], rng: &mut Rng) -> Vec<Client> {
    let mut clients: Vec<Client> = Vec::new();
    for session in 0..4 {
        clients.push(Client::enter(session as usize % 2, cores, session, rng));
        owner.recent_for.push(clients[session as usize].view.key());
    }
    clients
}

fn finish(
    owner: Owner,
    mut clients: Vec<Client>,
    mut cores: Vec<Core>,
    mut rng: Rng,
    seed: u64,
    lossy: bool,
) {
    for core in &mut cores {
        core.feed(Some(owner.now), &owner, &mut rng, lossy);
    }
    for client in &mut clients {
        client.tell(Expunges::Tell, &mut cores, seed);
        client.check_converged(&owner, seed);
        assert_eq!(
            client.view.highest_mod_seq(&cores[client.core].view).0,
            owner.mod_seq
        );
    }
    for core in &cores {
        // Nobody is owed anything, so nothing is kept.
        assert_eq!(core.view.ghosts.len(), 0, "seed {seed}");
        assert_eq!(core.view.flags.newest(), ChangeNumber(0), "seed {seed}");
    }
}

fn fold(owner: &mut Owner, rng: &mut Rng, cores: &mut [Core]) {
    if rng.percent(50) {
        owner.index.fold();
        let index = owner.index.clone();
        owner.publish(ChangeKind::Rebased { index }, cores);
    } else {
        let every: Vec<Uid> = owner.index.iter().map(|entry| entry.uid).collect();
        let place = Place {
            segment: SegmentId(2),
            ..Place::NONE
        };
        let moved = owner.pick(rng, &every).into_iter();
        let places: Vec<_> = moved.map(|uid| (uid, place, place)).collect();
        for (uid, body, summary) in &places {
            owner.index.set_places(*uid, *body, *summary);
        }
        owner.publish(ChangeKind::Moved { places }, cores);
    }
}

fn store(
    owner: &mut Owner,
    client: &mut Client,
    cores: &mut [Core],
    rng: &mut Rng,
    seed: u64,
    lossy: bool,
) {
    let silent = rng.percent(50);
    let session = client.view.key();
    let uids = owner.pick(rng, &client.uids);
    let by = By { session, silent };
    let told_flags = client.told_flags;
    let uids = owner.store(uids, by, rng, cores);
    if silent {
        for past in owner.history.iter().filter(|past| uids.contains(&past.uid)) {
            // A silent STORE tells its client nothing: it knows its own, unless others' changes
            // are still to be told and overrule it.
            let others = past
                .changes
                .iter()
                .any(|(at, who, was_silent)| *at > told_flags && (*who != session || !was_silent));
            if !others {
                client.flags.insert(past.uid, past.flags);
            }
        }
    }
    // The session goes on once its view has its own change.
    let now = owner.now;
    cores[client.core].feed(Some(now), owner, rng, lossy);
    client.tell(Expunges::Hold, cores, seed);
}

#[test]
fn clients_converge_and_numbers_follow_the_definition() {
    let seeds = std::env::var("VIEW_SEEDS")
        .ok()
        .and_then(|n| n.parse().ok());
    for seed in 0..seeds.unwrap_or(150) {
        run(seed, false);
    }
}

#[test]
fn clients_converge_when_views_lose_changes() {
    for seed in 0..150 {
        run(seed, true);
    }
}

#[test]
fn arrivals_are_recent_for_one_session_only() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let mut owner = Owner::new();
        let view = View::new(owner.snapshot());
        let feed = VecDeque::new();
        let mut cores = vec![Core { view, feed }];
        let mut clients = Vec::new();
        for session in 0..3 {
            clients.push(Client::enter(0, &mut cores, session, &mut rng));
            owner.recent_for.push(clients[session as usize].view.key());
        }
        for _ in 0..20 {
            owner.append(&mut rng, &mut cores);
        }
        cores[0].feed(Some(owner.now), &owner, &mut rng, false);
        clients
            .iter_mut()
            .for_each(|client| client.tell(Expunges::Tell, &mut cores, seed));
        for past in &owner.history {
            let for_whom = clients
                .iter()
                .filter(|client| client.view.is_recent(past.uid));
            assert!(for_whom.count() <= 1, "seed {seed}");
        }
        for client in &clients {
            let held = client
                .uids
                .iter()
                .filter(|uid| client.view.is_recent(**uid));
            assert_eq!(held.count(), client.recents, "seed {seed}");
        }
    }
}

#[test]
fn a_silent_store_tells_its_own_session_the_mod_seq_at_most() {
    for (condstore, told) in [(Condstore::Off, 0), (Condstore::On, 1)] {
        let mut rng = Rng::new(1);
        let mut owner = Owner::new();
        let view = View::new(owner.snapshot());
        let feed = VecDeque::new();
        let mut cores = vec![Core { view, feed }];
        let mut clients: Vec<Client> = (0..2)
            .map(|n| Client::enter(0, &mut cores, n, &mut rng))
            .collect();
        clients
            .iter_mut()
            .for_each(|client| client.condstore = condstore);
        owner.append(&mut rng, &mut cores);
        cores[0].feed(Some(owner.now), &owner, &mut rng, false);
        clients
            .iter_mut()
            .for_each(|client| client.tell(Expunges::Tell, &mut cores, 0));
        let by = By {
            session: clients[0].view.key(),
            silent: true,
        };
        owner.store(vec![Uid(1)], by, &mut rng, &mut cores);
        cores[0].feed(Some(owner.now), &owner, &mut rng, false);
        let view = &mut cores[0].view;
        let own = clients[0].view.tell(view, Expunges::Hold, condstore);
        assert_eq!(own.len(), told);
        let silent = |event: &Event| matches!(event, Event::Fetch { flags: None, .. });
        assert!(own.iter().all(silent), "{own:?}");
        let other = clients[1].view.tell(view, Expunges::Hold, condstore);
        let flags = |event: &Event| matches!(event, Event::Fetch { flags: Some(_), .. });
        assert!(other.len() == 1 && other.iter().all(flags), "{other:?}");
    }
}
