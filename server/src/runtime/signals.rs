//! Signals of the process, taken on a thread of their own.

use std::io;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalRequest {
    /// SIGTERM or SIGINT: end in order.
    Stop,
    /// SIGHUP: read certificates and the like again.
    Reload,
}

/// Calls `handler` on its own thread for every such signal until the process ends. The thread
/// may block, so `handler` may read files; it reaches shards through channels only.
pub fn watch_signals(mut handler: impl FnMut(SignalRequest) + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                handler(if signal == SIGHUP {
                    SignalRequest::Reload
                } else {
                    SignalRequest::Stop
                });
            }
        })?;
    Ok(())
}
