//! Channels between tasks, shards and foreign threads: always bounded, wake any executor.
//!
//! glommio's own cross-thread channels are not used: a send to a full one whose receiver is gone
//! never returns and spins, and a pending receive that is polled in a select counts one more
//! waker each time until an i16 overflows and the shard dies.

pub use async_channel::{
    Receiver, RecvError, SendError, Sender, TryRecvError, TrySendError, bounded,
};
