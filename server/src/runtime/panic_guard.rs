//! What a panic in a task may reach.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::pin;

use futures_lite::FutureExt;

/// Runs `task` to its end or its panic. The future is boxed: glommio copies small ones around,
/// and its own boxing of large ones leaks when it goes wrong.
pub(super) async fn catch(task: impl Future<Output = ()> + 'static) -> Result<(), String> {
    AssertUnwindSafe(Box::pin(task))
        .catch_unwind()
        .await
        .map_err(|panic| message(panic.as_ref()))
}

/// Runs `task`; a panic in it ends the process. For tasks on which the truth of the store
/// depends: what they left half done must not be served.
pub async fn abort_on_panic(task: impl Future<Output = ()> + 'static) {
    if let Err(message) = catch(task).await {
        tracing::error!(message, "a vital task panicked; the process ends");
        eprintln!("corepost: a vital task panicked: {message}");
        std::process::abort();
    }
}

/// As [`abort_on_panic`], inside a task that goes on afterwards: a panic in `work` itself ends the
/// process, one elsewhere in the task only the task.
pub async fn vital<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|context| {
        let armed = AbortOnDrop;
        let polled = work.as_mut().poll(context);
        std::mem::forget(armed);
        polled
    })
    .await
}

/// Dropped only by a panic that passes through.
struct AbortOnDrop;

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        // The panic has said where it was; the hook has printed it.
        tracing::error!("the store panicked; the process ends");
        std::process::abort();
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "panic without a message".to_owned()
    }
}
