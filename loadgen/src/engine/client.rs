//! One connection's place in the run, and its one timer.

use crate::report::OperationId;
use crate::scenario::program::Cursor;
use crate::session::Session;
use crate::tls::Tls;

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its turn: there is no connection.
    Closed,
    /// The end of a pause after a failure: there is no connection.
    Pausing,
    /// The kernel's connect.
    Connecting,
    /// The TLS handshake.
    Handshaking,
    /// An answer, or the greeting.
    Answer,
    /// Its turn: the session is ready.
    Ready,
    /// The end of a pause between steps.
    Thinking,
    /// Other sessions, which must hear of a change.
    Others,
    /// The server's close after LOGOUT.
    Close,
    /// The kernel, which gives the connection back.
    Closing,
    /// Nothing any more.
    Finished,
}

/// One connection.
pub struct Client {
    pub session: Session,
    pub tls: Option<Box<Tls>>,
    pub role: usize,
    pub stage: Stage,
    pub cursor: Cursor,
    /// Whether the setup is done on this connection.
    pub is_set_up: bool,
    /// Whether it has been ready once, or has failed to be.
    pub is_settled: bool,
    /// Whether an iteration is under way.
    pub is_iterating: bool,
    /// The operation under way.
    pub operation: Option<OperationId>,
    pub intended_ns: u64,
    pub started_ns: u64,
    /// The same of the iteration under way.
    pub iteration_intended_ns: u64,
    pub iteration_started_ns: u64,
    pub iteration_sent_bytes: u64,
    pub iteration_received_bytes: u64,
    pub sent_bytes: u32,
    pub received_bytes: u32,
    /// When its wait is over; 0 is never.
    pub deadline_ns: u64,
    /// How long it rests after this iteration's connection is gone.
    pub rest_ns: u64,
    /// When the wheel fires for it; 0 is not at all. Not after the deadline.
    pub armed_ns: u64,
}

impl Client {
    pub fn new(session: Session, role: usize) -> Self {
        Self {
            session,
            tls: None,
            role,
            stage: Stage::Closed,
            cursor: Cursor::default(),
            is_set_up: false,
            is_settled: false,
            is_iterating: false,
            operation: None,
            intended_ns: 0,
            started_ns: 0,
            iteration_intended_ns: 0,
            iteration_started_ns: 0,
            iteration_sent_bytes: 0,
            iteration_received_bytes: 0,
            sent_bytes: 0,
            received_bytes: 0,
            deadline_ns: 0,
            rest_ns: 0,
            armed_ns: 0,
        }
    }

    /// An iteration begins, of which no octet has gone either way.
    pub fn begin_iteration(&mut self, intended_ns: u64, now_ns: u64) {
        self.is_iterating = true;
        self.iteration_intended_ns = intended_ns;
        self.iteration_started_ns = now_ns;
        self.iteration_sent_bytes = 0;
        self.iteration_received_bytes = 0;
        self.intended_ns = intended_ns;
    }

    /// Whether the server owes an answer.
    pub fn is_busy(&self) -> bool {
        matches!(
            self.stage,
            Stage::Connecting | Stage::Handshaking | Stage::Answer | Stage::Others
        )
    }
}
