//! Rules of mailbox names, keywords and transfers, one by one; `tests/model.rs` has the rest.
