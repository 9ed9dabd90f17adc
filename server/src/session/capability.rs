//! Which capabilities this session is told of, now.

use imap_proto::capability::{self, Context};
use imap_proto::response::capability::capability;

use crate::runtime::Runtime;

use super::Session;

impl<R: Runtime> Session<R> {
    /// The words, as CAPABILITY and its response code carry them.
    pub fn capability_words(&mut self) -> Vec<u8> {
        capability::words(&self.capability_context())
    }

    /// Writes the untagged CAPABILITY.
    pub fn tell_capabilities(&mut self) {
        let words = self.capability_words();
        capability(&mut self.wire.out, &words);
    }

    /// Whether a password may cross this connection as it is.
    pub fn plaintext_allowed(&mut self) -> bool {
        self.wire.connection().is_confidential() || self.shard.config().auth.plaintext_off_loopback
    }

    fn capability_context(&mut self) -> Context {
        Context {
            state: self.connection_state(),
            start_tls: self.shard.tls().is_some() && !self.wire.connection().is_tls(),
            login_allowed: self.plaintext_allowed(),
            administrator: self.login().is_some_and(|login| login.administrator),
            append_bytes_max: self.shard.config().limits.message_bytes_max,
        }
    }
}
