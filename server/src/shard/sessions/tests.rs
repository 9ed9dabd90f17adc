use super::*;
use futures_lite::future::{block_on, poll_once};

use crate::runtime::Stream;
use crate::runtime::simulated::{SimulatedStream, Simulation};

const ACCOUNT: AccountId = AccountId([7; 16]);

/// Sessions of a table, with the connections that they are on.
struct Crowd {
    sessions: Sessions,
    entries: Vec<Rc<SessionEntry>>,
    _streams: Vec<(SimulatedStream, SimulatedStream)>,
}

fn crowd(count: usize) -> Crowd {
    let simulation = Simulation::new(1);
    let sessions = Sessions::default();
    let peer = Peer::tcp(std::net::SocketAddr::from(([192, 0, 2, 1], 1000)));
    let streams: Vec<_> = (0..count).map(|_| simulation.connect_pair(peer)).collect();
    let enter = |(_, stream): &(_, SimulatedStream)| sessions.enter(peer, stream.kick_handle());
    let entries = streams.iter().map(enter).collect();
    Crowd {
        sessions,
        entries,
        _streams: streams,
    }
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn the_sweeper_ends_who_is_past_the_deadline() {
    let crowd = crowd(3);
    let [idle, busy, stuck] = &crowd.entries[..] else {
        panic!("three sessions")
    };
    idle.set_deadline(at(10), EndReason::Autologout);
    busy.set_deadline(at(20), EndReason::Autologout);
    stuck.set_deadline(at(5), EndReason::Autologout);
    stuck.set_writing(Some(at(15)));
    crowd.sessions.sweep(&crowd.entries, at(12));
    assert_eq!(idle.why(), Some(EndReason::Autologout));
    assert_eq!(busy.why(), None);
    assert_eq!(stuck.why(), None, "a client that reads slowly is not idle");
    crowd.sessions.sweep(&crowd.entries, at(16));
    assert_eq!(stuck.why(), Some(EndReason::OutputStalled));
    idle.end(EndReason::ServerStops);
    let first = Some(EndReason::Autologout);
    assert_eq!(idle.why(), first, "the first reason is told");
}

#[test]
fn commands_before_login_do_not_put_its_deadline_off() {
    let crowd = crowd(1);
    let entry = &crowd.entries[0];
    entry.set_first_deadline(at(60), EndReason::LoginTimeout);
    entry.set_first_deadline(at(90), EndReason::LoginTimeout);
    crowd.sessions.sweep(&crowd.entries, at(61));
    assert_eq!(entry.why(), Some(EndReason::LoginTimeout));
}

#[test]
fn an_account_has_ended_once_its_sessions_are_gone() {
    let crowd = crowd(3);
    for entry in &crowd.entries[..2] {
        crowd.sessions.set_account(entry, Some(ACCOUNT));
    }
    let mut ended = Box::pin(crowd.sessions.end_account(ACCOUNT));
    assert!(block_on(poll_once(&mut ended)).is_none());
    let why = |at: usize| crowd.entries[at].why();
    let expected = [
        Some(EndReason::AccountEnded),
        Some(EndReason::AccountEnded),
        None,
    ];
    assert_eq!([why(0), why(1), why(2)], expected);
    crowd.sessions.leave(crowd.entries[0].session);
    assert!(block_on(poll_once(&mut ended)).is_none());
    crowd.sessions.leave(crowd.entries[1].session);
    assert!(block_on(poll_once(&mut ended)).is_some());
    assert_eq!(crowd.sessions.len(), 1);
}

#[test]
fn visits_in_steps_see_every_session_once() {
    let crowd = crowd(7);
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let step = crowd.sessions.after(after, 3);
        let Some(last) = step.last() else { break };
        after = last.session;
        seen.extend(step.iter().map(|entry| entry.session));
    }
    let all: Vec<u64> = crowd.entries.iter().map(|entry| entry.session).collect();
    assert_eq!(seen, all);
}

/// A client that sends nothing is not there to be told that it must go.
#[test]
fn a_silent_session_is_ended_by_what_it_selects() {
    let crowd = crowd(3);
    crowd.entries[1].set_selection(40);
    crowd.entries[2].set_selection(41);
    crowd.sessions.end_selection(41);
    crowd.sessions.end_selection(99);
    let why: Vec<_> = crowd.entries.iter().map(|entry| entry.why()).collect();
    assert_eq!(why, [None, None, Some(EndReason::FarBehind)]);
}
