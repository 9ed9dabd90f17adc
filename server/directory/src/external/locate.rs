//! Whom a login is for, where a back end has accounts too: the name led through the routing table.

use std::sync::Arc;

use super::Task;
use crate::backend::Entry;
use crate::error::LookupError;
use crate::name::AccountName;
use crate::route::{ExternalAddress, Route};

/// Whom a name stands for.
pub(super) enum Whose {
    /// Nobody of the back end: the database decides about the name as it came.
    Here,
    /// Somebody of the back end.
    Theirs {
        /// The name there.
        name: AccountName,
        /// What the back end says of it.
        entry: Arc<Entry>,
        /// The account has moved to another system, and its old secret is still kept there.
        moved: Option<ExternalAddress>,
    },
}

impl Task {
    /// Follows the records of a name to the first one that the database or the back end has.
    pub(super) async fn locate(&self, name: &AccountName) -> Result<Whose, LookupError> {
        let table = self.directory.shared().routes.load_full();
        let mut routing = table.route(name);
        loop {
            let (names, moved) = match &routing.route {
                Route::Local(name) => (std::slice::from_ref(name), None),
                Route::External(address) => (routing.via.as_slice(), Some(address.clone())),
                Route::Rejected(_) | Route::Unknown => return Ok(Whose::Here),
            };
            for name in names {
                if self.is_local(name).await? {
                    return Ok(Whose::Here);
                }
                if let Some(entry) = self.find(name).await? {
                    let name = name.clone();
                    return Ok(Whose::Theirs { name, entry, moved });
                }
            }
            if moved.is_some() {
                return Ok(Whose::Here);
            }
            routing = table.reroute_unknown(routing);
        }
    }
}
