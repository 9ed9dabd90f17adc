//! The sockets that the configuration wants.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use crate::config::{Config, Protocol};
use crate::net::listener::{bind_tcp, bind_unix};
use crate::service::{Rule, Service};

use super::{Addresses, StartError};

/// Local users may deliver through the LMTP socket; its folder's permissions say which.
const LMTP_SOCKET_MODE: u32 = 0o666;

/// Sockets bound before anything is promised, one of each for every shard.
pub(super) struct Sockets {
    pub addresses: Addresses,
    bound: Vec<(Arc<Rule>, Vec<OwnedFd>)>,
    pub admin: Option<TcpListener>,
}

impl Sockets {
    pub fn open(config: &Config, shards: usize) -> Result<Self, StartError> {
        let mut sockets = Sockets {
            addresses: Addresses::default(),
            bound: Vec::new(),
            admin: None,
        };
        let (listen, limits) = (&config.listen, &config.limits);
        // No connection of a kind is allowed: then nobody listens for it either.
        if limits.imap_connections_max > 0 {
            sockets.bind_all(Service::Imap, config, &listen.imap, shards)?;
            sockets.bind_all(Service::Imaps, config, &listen.imaps, shards)?;
        }
        if limits.lmtp_connections_max > 0 {
            sockets.bind_all(Service::Lmtp, config, &listen.lmtp, shards)?;
            sockets.bind_lmtp_socket(config, shards)?;
        }
        for socket in &listen.sockets {
            let (service, most) = match (socket.protocol, socket.tls) {
                (Protocol::Imap, false) => (Service::Imap, limits.imap_connections_max),
                (Protocol::Imap, true) => (Service::Imaps, limits.imap_connections_max),
                (Protocol::Lmtp, _) => (Service::Lmtp, limits.lmtp_connections_max),
            };
            if most > 0 {
                let rule = Rule {
                    service,
                    allow: socket.allow.clone(),
                    deny: socket.deny.clone(),
                    proxy_from: socket.proxy_from.clone(),
                };
                sockets.bind(Arc::new(rule), socket.address, shards)?;
            }
        }
        if let Some(address) = listen.admin {
            let failed = |cause| StartError::Listen {
                address: address.to_string(),
                cause,
            };
            let listener = TcpListener::bind(address).map_err(failed)?;
            sockets.addresses.admin = listener.local_addr().ok();
            sockets.admin = Some(listener);
        }
        Ok(sockets)
    }

    fn bind_all(
        &mut self,
        service: Service,
        config: &Config,
        addresses: &[SocketAddr],
        shards: usize,
    ) -> Result<(), StartError> {
        let rule = Arc::new(Rule {
            proxy_from: config.listen.proxy_from.clone(),
            ..Rule::open(service)
        });
        for address in addresses {
            self.bind(rule.clone(), *address, shards)?;
        }
        Ok(())
    }

    fn bind_lmtp_socket(&mut self, config: &Config, shards: usize) -> Result<(), StartError> {
        let Some(path) = &config.listen.lmtp_socket else {
            return Ok(());
        };
        let bound = bind_unix(path, LMTP_SOCKET_MODE, shards);
        let bound = bound.map_err(|cause| StartError::Listen {
            address: path.display().to_string(),
            cause,
        })?;
        self.bound
            .push((Arc::new(Rule::open(Service::Lmtp)), bound));
        Ok(())
    }

    fn bind(
        &mut self,
        rule: Arc<Rule>,
        address: SocketAddr,
        shards: usize,
    ) -> Result<(), StartError> {
        let bound = match bind_tcp(address, shards) {
            Ok(bound) => bound,
            // The default names every address of both families; a machine may have one of them.
            Err(cause) if address.ip().is_unspecified() && is_no_family(&cause) => {
                tracing::warn!(%address, %cause, "not listened on");
                return Ok(());
            }
            Err(cause) => {
                let address = address.to_string();
                return Err(StartError::Listen { address, cause });
            }
        };
        let addresses = match rule.service {
            Service::Imap => &mut self.addresses.imap,
            Service::Imaps => &mut self.addresses.imaps,
            Service::Lmtp => &mut self.addresses.lmtp,
        };
        addresses.push(bound.address);
        self.bound.push((rule, bound.sockets));
        Ok(())
    }

    /// One socket of each rule, for the next shard.
    pub fn take(&mut self) -> Vec<(Arc<Rule>, OwnedFd)> {
        self.bound
            .iter_mut()
            .filter_map(|(rule, sockets)| Some((rule.clone(), sockets.pop()?)))
            .collect()
    }
}

/// The machine has no addresses of this family.
fn is_no_family(error: &std::io::Error) -> bool {
    [Some(libc::EAFNOSUPPORT), Some(libc::EADDRNOTAVAIL)].contains(&error.raw_os_error())
}
