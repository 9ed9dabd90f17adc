//! Networks, as lists in the configuration name them.

use std::net::IpAddr;

use ipnet::IpNet;

/// Addresses that a rule is about. An IPv4 address that comes as a mapped IPv6 one is the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Addresses and networks (`192.0.2.0/24`) with commas or spaces between them.
    pub fn parse(text: &str) -> Option<Self> {
        let words = text.split([',', ' ']).filter(|word| !word.is_empty());
        let network = |word: &str| match word.parse::<IpAddr>() {
            Ok(address) => Some(IpNet::from(address)),
            Err(_) => word.parse::<IpNet>().ok(),
        };
        words.map(network).collect::<Option<Vec<_>>>().map(Self)
    }

    /// Whether none is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them has this address.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_the_networks_that_name_it() {
        let networks = Networks::parse("192.0.2.0/24, 198.51.100.7 2001:db8::/32").unwrap();
        for (address, is_in) in [
            ("192.0.2.255", true),
            ("192.0.3.0", false),
            ("::ffff:192.0.2.1", true),
            ("198.51.100.7", true),
            ("198.51.100.8", false),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
        ] {
            assert_eq!(
                networks.contain(address.parse().unwrap()),
                is_in,
                "{address}"
            );
        }
        assert!(Networks::parse("").unwrap().is_empty());
        for bad in ["192.0.2.0/33", "localhost", "192.0.2", "10/8"] {
            assert_eq!(Networks::parse(bad), None, "{bad}");
        }
    }
}
