//! What a session's account is to the owners of other accounts' mailboxes.

use std::sync::Arc;

use mail_directory::AccountId;
use storage_engine::request::Principal;

use super::{Login, Session};
use crate::runtime::Runtime;

impl<R: Runtime> Session<R> {
    /// The account as the lists of an owner in `domain` see it. Its groups are read when a session
    /// first asks something of another account, and hold until it ends.
    pub async fn principal(&self, login: &Login, domain: &str) -> Arc<Principal> {
        let at_home = match login.principal.get() {
            Some(principal) => principal.clone(),
            None => self.read_groups(login).await,
        };
        if domain == at_home.domain {
            return at_home;
        }
        Arc::new(Principal {
            groups: seen_from(domain, &at_home.groups),
            same_domain: false,
            account: at_home.account,
            domain: at_home.domain.clone(),
        })
    }

    async fn read_groups(&self, login: &Login) -> Arc<Principal> {
        let account = AccountId::from_bytes(login.account.0);
        let read = self.shard.directory().groups_of(account).await;
        let principal = |groups: &[String]| {
            Arc::new(Principal {
                account: login.account,
                domain: login.domain().to_owned(),
                groups: seen_from(login.domain(), groups),
                same_domain: true,
            })
        };
        match read {
            Ok(groups) => login.principal.get_or_init(|| principal(&groups)).clone(),
            Err(error) => {
                tracing::warn!(%error, "the groups of an account were not read");
                // Fewer rights for now; the next request tries again.
                principal(&[])
            }
        }
    }
}

/// A list names the groups of its owner's domain without the domain, and all others with it.
/// Groups of the same name in two domains are two groups.
fn seen_from(domain: &str, groups: &[String]) -> Vec<String> {
    let mut names = Vec::with_capacity(groups.len());
    for group in groups {
        let Some((name, of)) = group.rsplit_once('@') else {
            continue;
        };
        if of == domain {
            names.push(name.to_owned());
        }
        names.push(group.clone());
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_named_without_its_domain_there_only() {
        let groups = ["staff@a.org".to_owned(), "staff@b.org".to_owned()];
        let at_home = seen_from("a.org", &groups);
        assert_eq!(at_home, ["staff", "staff@a.org", "staff@b.org"]);
        let elsewhere = seen_from("c.org", &at_home);
        assert_eq!(elsewhere, ["staff@a.org", "staff@b.org"]);
    }
}
