//! Domains, and the settings of domains and accounts.

use std::sync::Arc;

use crate::account::Account;
use crate::error::ChangeError;
use crate::settings::{Settings, Written};
use crate::template::Template;

use super::DirectoryHandle;

impl DirectoryHandle {
    /// Changes settings of an account, by key; an empty value takes the domain's again. Answers
    /// with the account as it is now.
    pub async fn set_account_settings(
        &self,
        name: &str,
        changes: Vec<(String, String)>,
    ) -> Result<Account, ChangeError> {
        let name = self.resolve(name)?;
        self.write(move |database, shared| {
            let set = database.set_account_settings(&name, &changes);
            shared.cache.invalidate(&name);
            set
        })
        .await
    }

    /// Changes settings of a domain, for all its accounts that have none of their own.
    pub async fn set_domain_settings(
        &self,
        domain: &str,
        changes: Vec<(String, String)>,
    ) -> Result<(), ChangeError> {
        let domain = domain.to_owned();
        self.write(move |database, shared| {
            let set = database.set_domain_settings(&domain, &changes);
            shared.reload_domains(database);
            shared.cache.invalidate_all();
            set
        })
        .await
    }

    /// Settings as they were written: the account's own, and its domain's.
    pub async fn account_settings(&self, name: &str) -> Result<(Written, Written), ChangeError> {
        let name = self.resolve(name)?;
        self.write(move |database, _| database.account_settings(&name))
            .await
    }

    /// Settings of a domain, as they were written.
    pub async fn written_domain_settings(&self, domain: &str) -> Result<Written, ChangeError> {
        let domain = domain.to_owned();
        self.write(move |database, _| database.domain_settings(&domain))
            .await
    }

    /// What holds for a domain (canonical) before an account is known; `None` if it is not ours.
    /// Never blocks, so a shard may call it.
    pub fn domain_settings(&self, domain: &str) -> Option<Arc<Settings>> {
        self.shared.domains.load().get(domain).cloned()
    }

    /// Adds a domain, with a template for its new accounts or with the server's.
    pub async fn domain_add(
        &self,
        domain: &str,
        template: Option<Template>,
    ) -> Result<(), ChangeError> {
        template.as_ref().map_or(Ok(()), Template::check)?;
        let domain = domain.to_owned();
        self.write(move |database, shared| {
            let added = database.domain_add(&domain, template.as_ref());
            shared.reload_domains(database);
            added
        })
        .await
    }

    /// Deletes a domain that has no accounts.
    pub async fn domain_delete(&self, domain: &str) -> Result<(), ChangeError> {
        let domain = domain.to_owned();
        self.write(move |database, shared| {
            let deleted = database.domain_delete(&domain);
            shared.reload_domains(database);
            deleted
        })
        .await
    }
}
