//! Who has logged in, and what holds for them.

use std::cell::OnceCell;
use std::sync::Arc;

use mail_directory::Account;
use mail_directory::settings::Administrator;
use storage_engine::ids::AccountId;
use storage_engine::request::{Limit, Principal};

use crate::quota::limit_of;

/// Who has logged in.
#[derive(Clone)]
pub struct Login {
    /// The account's id in the engine.
    pub account: AccountId,
    /// Its canonical name.
    pub name: String,
    /// Whether it managed other accounts at login: what it is told it can do.
    pub administrator: bool,
    /// What it might hold at login; see [`super::Session::limit`].
    pub limit: Limit,
    /// LIST tells mailboxes that are not for mail.
    pub sees_non_mail: bool,
    /// What it is to the owners of other accounts in its domain, once that was asked for.
    pub(super) principal: OnceCell<Arc<Principal>>,
}

impl Login {
    /// From the directory's answer.
    pub fn new(account: &Account) -> Self {
        Login {
            account: AccountId(account.id.to_bytes()),
            name: account.name.to_string(),
            administrator: account.settings.administrator != Administrator::No,
            limit: limit_of(account),
            sees_non_mail: account.settings.sees_non_mail,
            principal: OnceCell::new(),
        }
    }
}
