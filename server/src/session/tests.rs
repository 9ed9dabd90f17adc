use super::*;
use crate::net::stream::Connection;
use crate::runtime::glommio_runtime::{GlommioRuntime, GlommioStream};

/// Memory per idle session is mostly this future.
const SESSION_FUTURE_BYTES_MAX: usize = 1_280;

fn serving(
    shard: Shard<GlommioRuntime>,
    connection: Connection<GlommioStream>,
) -> impl Future<Output = ()> {
    serve(shard, connection, ())
}

fn future_bytes<F>(_: impl Fn(Shard<GlommioRuntime>, Connection<GlommioStream>) -> F) -> usize {
    size_of::<F>()
}

#[test]
fn a_session_that_waits_has_no_room_for_commands() {
    let bytes = future_bytes(serving);
    assert!(bytes <= SESSION_FUTURE_BYTES_MAX, "{bytes} bytes");
}
