//! Many sessions in one mailbox: what each is told (`mirror`), what all know (`ledger`),
//! what each does (`member`).

pub mod ledger;
pub mod member;
pub mod mirror;
pub mod random;
