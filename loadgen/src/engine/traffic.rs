//! Bytes between connections and sessions, with TLS in between where it is wanted.

use std::io;

use super::Engine;
use super::client::Stage;
use crate::connection::Buffer;
use crate::fault::{Fault, FaultKind};
use crate::report::Sample;
use crate::session::{Context, Progress};
use crate::tls::{Standing, Tls};

impl Engine<'_> {
    /// Makes a connection to the target whose turn it is.
    pub(super) fn connect(&mut self, slot: u32, now_ns: u64) {
        let (first, count) = self.role(slot).map_or((0, 1), |role| role.targets);
        let turn = usize::try_from(slot).unwrap_or(0) % count.max(1);
        let Some(client) = self.client(slot) else {
            return;
        };
        client.stage = Stage::Connecting;
        client.sent_bytes = 0;
        client.received_bytes = 0;
        client.session.connected();
        self.wait_until(slot, now_ns + self.reply_timeout_ns);
        if let Err(error) = self.connections.connect(slot, first + turn) {
            self.refused(slot, &error, now_ns);
        }
    }

    pub(super) fn connected(&mut self, slot: u32, now_ns: u64) {
        let has_tls = self.network.tls.is_some() && !self.network.has_start_tls;
        if let Some(client) = self.client(slot) {
            client.stage = Stage::Answer;
        }
        if has_tls {
            self.upgrade(slot, now_ns);
        }
    }

    /// Begins the TLS handshake.
    pub(super) fn upgrade(&mut self, slot: u32, now_ns: u64) {
        let Some(settings) = &self.network.tls else {
            return;
        };
        self.records.clear();
        match Tls::start(settings, &mut self.records) {
            Ok(tls) => {
                if let Some(client) = self.client(slot) {
                    client.tls = Some(Box::new(tls));
                    client.stage = Stage::Handshaking;
                }
                self.wait_until(slot, now_ns + self.reply_timeout_ns);
                self.send_records(slot, now_ns);
            }
            Err(fault) => self.fail(slot, &fault, now_ns),
        }
    }

    /// Gives what came to the session.
    pub(super) fn received(
        &mut self,
        slot: u32,
        buffer: &Buffer,
        now_ns: u64,
    ) -> Result<Progress, Fault> {
        let Some(client) = usize::try_from(slot)
            .ok()
            .and_then(|at| self.clients.get_mut(at))
        else {
            return Ok(Progress::Waiting);
        };
        if matches!(client.stage, Stage::Closing | Stage::Finished) {
            return Ok(Progress::Waiting);
        }
        let bytes = self.connections.bytes(buffer);
        let mut context = Context {
            world: self.world,
            now_ns,
            client: slot,
        };
        self.out.clear();
        let Some(tls) = client.tls.as_mut() else {
            let progress = client.session.receive(bytes, &mut context, &mut self.out)?;
            self.flush(slot, now_ns);
            return Ok(progress);
        };
        let mut progress = Progress::Waiting;
        self.records.clear();
        let (session, out) = (&mut client.session, &mut self.out);
        let standing = tls.receive(bytes, &mut self.records, |plain| {
            match session.receive(plain, &mut context, out)? {
                Progress::Waiting => {}
                news => progress = news,
            }
            Ok(())
        })?;
        if client.stage == Stage::Handshaking && standing == Standing::Ready {
            client.stage = Stage::Answer;
            // After STARTTLS it is the client that speaks first.
            if self.network.has_start_tls {
                progress = Progress::Ready;
            }
        }
        self.send_records(slot, now_ns);
        self.flush(slot, now_ns);
        Ok(progress)
    }

    pub(super) fn count_received(&mut self, slot: u32, bytes: usize) {
        if let Some(client) = self.client(slot) {
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            client.received_bytes = client.received_bytes.saturating_add(bytes);
            client.iteration_received_bytes += u64::from(bytes);
        }
    }

    /// Sends what the session has written.
    pub(super) fn flush(&mut self, slot: u32, now_ns: u64) {
        if self.out.is_empty() {
            return;
        }
        let Some(client) = usize::try_from(slot)
            .ok()
            .and_then(|at| self.clients.get_mut(at))
        else {
            return;
        };
        let bytes = u32::try_from(self.out.len()).unwrap_or(u32::MAX);
        client.sent_bytes = client.sent_bytes.saturating_add(bytes);
        client.iteration_sent_bytes += u64::from(bytes);
        let Some(tls) = client.tls.as_mut() else {
            let sent = self.connections.send(slot, &self.out);
            self.out.clear();
            if let Err(error) = sent {
                self.refused(slot, &error, now_ns);
            }
            return;
        };
        self.records.clear();
        let result = tls.send(&self.out, &mut self.records);
        self.out.clear();
        match result {
            Ok(()) => self.send_records(slot, now_ns),
            Err(fault) => self.fail(slot, &fault, now_ns),
        }
    }

    fn send_records(&mut self, slot: u32, now_ns: u64) {
        if self.records.is_empty() {
            return;
        }
        let sent = self.connections.send(slot, &self.records);
        self.records.clear();
        if let Err(error) = sent {
            self.refused(slot, &error, now_ns);
        }
    }

    /// The server has closed, which is right after LOGOUT only.
    pub(super) fn ended(&mut self, slot: u32, now_ns: u64) {
        let Some(client) = self.client(slot) else {
            return;
        };
        if client.session.is_logged_out() {
            self.close(slot);
        } else {
            let fault = Fault::because(FaultKind::Closed, "the server closed");
            self.fail(slot, &fault, now_ns);
        }
    }

    /// The kernel did not do what it was asked to.
    pub(super) fn refused(&mut self, slot: u32, error: &io::Error, now_ns: u64) {
        let is_logged_out = self
            .client(slot)
            .is_some_and(|client| client.session.is_logged_out());
        if is_logged_out {
            // A reset instead of a close, after all has been said.
            self.close(slot);
        } else {
            let kind = match error.kind() {
                // The server closed while something of ours was under way to it.
                io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => FaultKind::Closed,
                _ => FaultKind::Connect,
            };
            self.fail(slot, &Fault::because(kind, error), now_ns);
        }
    }

    /// Hands on what sessions in IDLE have heard, and wakes those who waited for it.
    pub(super) fn tell(&mut self, now_ns: u64) {
        if self.world.told.is_empty() && self.world.woken.is_empty() {
            return;
        }
        let told = std::mem::take(&mut self.world.told);
        if let Some(operation) = self.told {
            for heard in &told {
                self.recorder.record(&Sample {
                    operation,
                    intended_ns: heard.done_ns,
                    started_ns: heard.done_ns,
                    ended_ns: heard.heard_ns,
                    sent_bytes: 0,
                    received_bytes: 0,
                });
            }
        }
        for slot in std::mem::take(&mut self.world.woken) {
            let waits = self
                .client(slot)
                .is_some_and(|client| client.stage == Stage::Others);
            if waits {
                self.ready(slot, now_ns);
            }
        }
    }
}
