//! Which domain a client means by a name without one.

use crate::config::ClientDomain;
use crate::runtime::Runtime;

use super::Session;

impl<R: Runtime> Session<R> {
    /// The domain of names that this client writes without one: that of the address it came to,
    /// or of the host it asked TLS for, or the server's default.
    pub fn domain(&self) -> &str {
        self.client_domain()
            .unwrap_or(&self.shard.config().default_domain)
    }

    /// As [`Session::domain`], where the configuration names one for this client.
    pub fn client_domain(&self) -> Option<&str> {
        let domains = &self.shard.config().accounts.domains;
        // Most servers have one domain: then nobody asks the kernel.
        if domains.is_empty() {
            return None;
        }
        let connection = self.wire.connection();
        let address = connection.local_ip();
        let named = |domain: &&ClientDomain| domain.address.is_some() && domain.address == address;
        let tls_name = connection.tls_name();
        let asked_for = |domain: &&ClientDomain| {
            domain.tls_name.is_some() && domain.tls_name.as_deref() == tls_name
        };
        let by_address = domains.iter().find(named);
        let domain = by_address.or_else(|| domains.iter().find(asked_for))?;
        Some(&domain.name)
    }

    /// The name that a client logs in by, with its domain. What is not UTF-8 belongs to nobody,
    /// and its check takes as long as any other.
    pub fn login_name(&self, user: &[u8]) -> String {
        let user = String::from_utf8_lossy(user);
        match self.client_domain() {
            Some(domain) if !user.contains(['@', '%']) => format!("{user}@{domain}"),
            Some(_) | None => user.into_owned(),
        }
    }
}
