//! What a connection does next.

use super::Engine;
use super::client::Stage;
use crate::fault::{Fault, FaultKind};
use crate::limits::RECONNECT_PAUSE_MS;
use crate::report::{OperationId, Sample};
use crate::scenario::program::{Cursor, Next};
use crate::session::{Begun, Context, Progress};

const MILLISECOND_NS: u64 = 1_000_000;

impl Engine<'_> {
    /// A connection has nothing to do: it begins an iteration, or waits for an arrival.
    pub(super) fn free(&mut self, slot: u32, now_ns: u64) {
        if !self.is_measuring() {
            return;
        }
        let Some(role) = self.client(slot).map(|client| client.role) else {
            return;
        };
        if !self.arrivals.governs(role) {
            self.begin_iteration(slot, now_ns, now_ns);
        } else if let Some(intended_ns) = self.arrivals.free(role, slot) {
            self.begin_iteration(slot, intended_ns, now_ns);
        }
    }

    /// Begins an iteration that was meant to begin at `intended_ns`.
    pub(super) fn begin_iteration(&mut self, slot: u32, intended_ns: u64, now_ns: u64) {
        let connects = self.role(slot).is_some_and(|role| role.reconnect);
        let connect = self.role(slot).and_then(|role| role.connect);
        let Some(client) = self.client(slot) else {
            return;
        };
        client.begin_iteration(intended_ns, now_ns);
        if connects {
            client.operation = connect;
            client.started_ns = now_ns;
            client.cursor = Cursor::default();
            client.is_set_up = true;
            self.connect(slot, now_ns);
        } else {
            self.advance(slot, now_ns);
        }
    }

    /// Something was answered.
    pub(super) fn progress(&mut self, slot: u32, progress: Progress, now_ns: u64) {
        match progress {
            Progress::Waiting => {}
            Progress::Upgrade => self.upgrade(slot, now_ns),
            Progress::Ready => self.ready(slot, now_ns),
        }
    }

    /// The greeting or a command has been answered, as it must be.
    pub(super) fn ready(&mut self, slot: u32, now_ns: u64) {
        let Some(client) = self.client(slot) else {
            return;
        };
        if let Some(operation) = client.operation.take() {
            let sample = Sample {
                operation,
                intended_ns: client.intended_ns,
                started_ns: client.started_ns,
                ended_ns: now_ns,
                sent_bytes: u64::from(client.sent_bytes),
                received_bytes: u64::from(client.received_bytes),
            };
            self.recorder.record(&sample);
        }
        let Some(client) = self.client(slot) else {
            return;
        };
        client.intended_ns = now_ns;
        client.stage = Stage::Ready;
        let role = client.role;
        let goes_on = !self.is_draining()
            || self.arrivals.governs(role)
            || self.role(slot).is_some_and(|role| role.whole.is_some());
        if !goes_on {
            self.finish(slot);
            return;
        }
        let has_setup = self.role(slot).is_some_and(|role| role.program.has_setup());
        let is_set_up = self.client(slot).is_some_and(|client| client.is_set_up);
        if is_set_up || has_setup {
            self.advance(slot, now_ns);
        } else {
            self.set_up(slot, now_ns);
        }
    }

    /// The session is as the steps want it.
    fn set_up(&mut self, slot: u32, now_ns: u64) {
        if let Some(client) = self.client(slot) {
            client.is_set_up = true;
            client.stage = Stage::Ready;
            client.deadline_ns = 0;
            client.session.release();
        }
        self.settle(slot, true);
        self.free(slot, now_ns);
    }

    /// Follows the program until something is sent, or there is something to wait for.
    pub(super) fn advance(&mut self, slot: u32, now_ns: u64) {
        let mut ends = 0;
        loop {
            let Some(client) = usize::try_from(slot)
                .ok()
                .and_then(|at| self.clients.get_mut(at))
            else {
                return;
            };
            let Some(role) = self.roles.get(client.role) else {
                return;
            };
            let next = role
                .program
                .next(&mut client.cursor, client.session.random());
            match next {
                Next::Do(step, operation) => {
                    let mut context = Context {
                        world: self.world,
                        now_ns,
                        client: slot,
                    };
                    self.out.clear();
                    let begun = client.session.begin(step, &mut context, &mut self.out);
                    if self.has_begun(slot, begun, operation, now_ns) {
                        return;
                    }
                }
                Next::Think(0) => {}
                // The connection is as good as gone, so the rest comes after it; in an open loop
                // it is the arrivals that say when the next one begins.
                Next::Think(ms) if client.session.is_logged_out() => {
                    let rests = !self.arrivals.governs(client.role);
                    client.rest_ns = if rests { ms * MILLISECOND_NS } else { 0 };
                }
                Next::Think(ms) => {
                    self.think(slot, now_ns + ms * MILLISECOND_NS);
                    return;
                }
                Next::End => {
                    ends += 1;
                    // An iteration that sends nothing must not go round without a pause.
                    if ends > 1 {
                        self.think(slot, now_ns + MILLISECOND_NS);
                        return;
                    }
                    if !self.end(slot, now_ns) {
                        return;
                    }
                }
            }
        }
    }

    /// What became of a step; tells whether there is something to wait for.
    fn has_begun(
        &mut self,
        slot: u32,
        begun: Result<Begun, Fault>,
        operation: Option<OperationId>,
        now_ns: u64,
    ) -> bool {
        let Some(client) = self.client(slot) else {
            return true;
        };
        client.operation = operation;
        match begun {
            Ok(Begun::Nothing) => return false,
            Ok(Begun::Wait) => {
                client.operation = None;
                client.cursor.back();
                client.stage = Stage::Others;
                self.wait_until(slot, now_ns + self.reply_timeout_ns);
            }
            Ok(begun) => {
                if begun == Begun::SentAndAgain {
                    client.cursor.back();
                }
                client.started_ns = now_ns;
                client.received_bytes = 0;
                client.sent_bytes = 0;
                client.stage = Stage::Answer;
                self.wait_until(slot, now_ns + self.reply_timeout_ns);
                self.flush(slot, now_ns);
            }
            Err(fault) => self.fail(slot, &fault, now_ns),
        }
        true
    }

    /// The setup or an iteration is over. Tells whether the next iteration begins at once.
    fn end(&mut self, slot: u32, now_ns: u64) -> bool {
        let is_draining = self.is_draining();
        let whole = self.role(slot).and_then(|role| role.whole);
        let Some(client) = self.client(slot) else {
            return false;
        };
        if !client.is_set_up {
            self.set_up(slot, now_ns);
            return false;
        }
        if std::mem::take(&mut client.is_iterating)
            && let Some(operation) = whole
        {
            let sample = Sample {
                operation,
                intended_ns: client.iteration_intended_ns,
                started_ns: client.iteration_started_ns,
                ended_ns: now_ns,
                sent_bytes: client.iteration_sent_bytes,
                received_bytes: client.iteration_received_bytes,
            };
            self.recorder.record(&sample);
        }
        // What was meant to begin in time is made after it.
        if is_draining && self.arrivals.waiting() == 0 {
            self.finish(slot);
            return false;
        }
        if self.role(slot).is_some_and(|role| role.reconnect) {
            self.leave(slot, now_ns);
            return false;
        }
        let Some(client) = self.client(slot) else {
            return false;
        };
        client.stage = Stage::Ready;
        client.deadline_ns = 0;
        let role = client.role;
        let intended_ns = if is_draining {
            self.arrivals.take(role)
        } else if self.arrivals.governs(role) {
            self.arrivals.free(role, slot)
        } else {
            self.is_measuring().then_some(now_ns)
        };
        let Some(client) = self.client(slot) else {
            return false;
        };
        let Some(intended_ns) = intended_ns else {
            client.session.release();
            return false;
        };
        client.begin_iteration(intended_ns, now_ns);
        true
    }

    /// The iteration's connection has done its work. After LOGOUT the server closes, so that it
    /// is the server's port that stays in TIME_WAIT and not one of ours.
    fn leave(&mut self, slot: u32, now_ns: u64) {
        let Some(client) = self.client(slot) else {
            return;
        };
        if client.session.is_logged_out() {
            client.stage = Stage::Close;
            self.wait_until(slot, now_ns + self.reply_timeout_ns);
        } else {
            self.close(slot);
        }
    }

    fn think(&mut self, slot: u32, until_ns: u64) {
        if let Some(client) = self.client(slot) {
            client.stage = Stage::Thinking;
            client.session.release();
        }
        self.wait_until(slot, until_ns);
    }

    /// Whatever the connection waits for is waited for until then.
    pub(super) fn wait_until(&mut self, slot: u32, deadline_ns: u64) {
        let Some(client) = usize::try_from(slot)
            .ok()
            .and_then(|at| self.clients.get_mut(at))
        else {
            return;
        };
        client.deadline_ns = deadline_ns;
        if client.armed_ns == 0 || deadline_ns < client.armed_ns {
            client.armed_ns = deadline_ns;
            self.wheel.set(slot, deadline_ns);
        }
    }

    /// The wheel has come to an entry of the connection's, which may be an old one.
    pub(super) fn fire(&mut self, slot: u32, now_ns: u64) {
        let Some(client) = self.client(slot) else {
            return;
        };
        if client.armed_ns == 0 || now_ns < client.armed_ns {
            return;
        }
        client.armed_ns = 0;
        let deadline_ns = client.deadline_ns;
        if deadline_ns == 0 {
            return;
        }
        if now_ns < deadline_ns {
            self.wait_until(slot, deadline_ns);
            return;
        }
        client.deadline_ns = 0;
        match client.stage {
            Stage::Thinking => {
                client.intended_ns = deadline_ns;
                self.advance(slot, now_ns);
            }
            Stage::Pausing => self.resume(slot, now_ns),
            Stage::Connecting | Stage::Handshaking | Stage::Answer | Stage::Others => {
                let Some(client) = usize::try_from(slot)
                    .ok()
                    .and_then(|at| self.clients.get_mut(at))
                else {
                    return;
                };
                let fault = client.session.late(self.world);
                self.fail(slot, &fault, now_ns);
            }
            Stage::Close => {
                let fault = Fault::because(FaultKind::TimedOut, "no close after LOGOUT");
                self.fail(slot, &fault, now_ns);
            }
            Stage::Closed | Stage::Ready | Stage::Closing | Stage::Finished => {}
        }
    }

    /// An answer was wrong, late or absent: the connection is given up.
    pub(super) fn fail(&mut self, slot: u32, fault: &Fault, now_ns: u64) {
        let whole = self.role(slot).and_then(|role| role.whole);
        let Some(client) = self.client(slot) else {
            return;
        };
        if matches!(client.stage, Stage::Closing | Stage::Finished) {
            return;
        }
        let operation = client.operation.take().or(whole);
        client.is_iterating = false;
        self.recorder
            .fail(operation, fault.kind.name(), &fault.example);
        self.close(slot);
        if let Some(client) = self.client(slot) {
            client.deadline_ns = now_ns + RECONNECT_PAUSE_MS * MILLISECOND_NS;
        }
        self.settle(slot, false);
    }

    /// Ends the connection.
    pub(super) fn close(&mut self, slot: u32) {
        if let Some(client) = usize::try_from(slot)
            .ok()
            .and_then(|at| self.clients.get_mut(at))
        {
            client.session.gone(self.world);
            client.session.release();
            client.tls = None;
            client.deadline_ns = 0;
            client.stage = Stage::Closing;
        }
        self.connections.close(slot);
    }

    /// Ends the connection for good.
    pub(super) fn finish(&mut self, slot: u32) {
        let Some(client) = self.client(slot) else {
            return;
        };
        let is_open = !matches!(
            client.stage,
            Stage::Closed | Stage::Pausing | Stage::Closing | Stage::Finished
        );
        client.stage = Stage::Finished;
        client.deadline_ns = 0;
        if is_open {
            self.close(slot);
        }
    }

    /// The kernel has given the connection back.
    pub(super) fn released(&mut self, slot: u32, now_ns: u64) {
        let is_draining = self.is_draining();
        let is_over = is_draining || self.is_once();
        let Some(client) = self.client(slot) else {
            return;
        };
        let (role, was_finished) = (client.role, client.stage == Stage::Finished);
        client.stage = Stage::Closed;
        client.is_set_up = false;
        client.cursor = Cursor::default();
        let rest_ns = std::mem::take(&mut client.rest_ns);
        client.deadline_ns = client
            .deadline_ns
            .max(if rest_ns > 0 { now_ns + rest_ns } else { 0 });
        if is_over {
            client.stage = Stage::Finished;
            self.settle(slot, true);
            let reconnects = self.role(slot).is_some_and(|role| role.reconnect);
            if is_draining
                && reconnects
                && !was_finished
                && let Some(intended_ns) = self.arrivals.take(role)
            {
                self.begin_iteration(slot, intended_ns, now_ns);
            }
        } else if client.deadline_ns > now_ns {
            client.stage = Stage::Pausing;
            let deadline_ns = client.deadline_ns;
            self.wait_until(slot, deadline_ns);
        } else {
            self.resume(slot, now_ns);
        }
    }

    /// A connection that is gone is made anew.
    fn resume(&mut self, slot: u32, now_ns: u64) {
        let reconnects = self.role(slot).is_some_and(|role| role.reconnect);
        let is_measuring = self.is_measuring();
        let Some(client) = self.client(slot) else {
            return;
        };
        client.stage = Stage::Closed;
        if reconnects {
            self.free(slot, now_ns);
        } else if is_measuring {
            self.connect(slot, now_ns);
        } else {
            // It has had its chance to be ready at the start; it gets another one then.
            self.wait_until(slot, now_ns + RECONNECT_PAUSE_MS * MILLISECOND_NS);
            if let Some(client) = self.client(slot) {
                client.stage = Stage::Pausing;
            }
        }
    }
}
