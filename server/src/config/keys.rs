//! Every key with its default, its range and its rules.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use mail_directory::{MailboxTemplate, Template};
use storage_engine::limits::{SEGMENT_BYTES_DEFAULT, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN};

use crate::net::network::Networks;

use super::listen;
use super::reader::{Need, Reader};
use super::{
    Accounts, Auth, CertificateFiles, ClientDomain, Config, Level, Limits, Listen, Lmtp, Log,
    LogTarget, OverQuota, Store, Tls,
};

/// More than this is a misunderstanding of what a shard is.
const SHARDS_MAX: u64 = 1024;
/// A day; longer time-outs are none.
const SECONDS_MAX: u64 = 86_400;
/// The largest message that the engine stores: RFC822.SIZE is a 32-bit number.
const MESSAGE_BYTES_MAX: u64 = u32::MAX as u64;
/// RFC 3501 5.4: an inactivity timer must not be under 30 minutes.
const IDLE_TIMEOUT_S_MIN: u64 = 1800;

const EVERY_V4: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
const EVERY_V6: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub(super) fn config(reader: &mut Reader<'_>) -> Config {
    Config {
        data_dir: reader.path("data_dir", "/var/lib/corepost"),
        shards: count(reader.integer("shards", 0..=SHARDS_MAX, 0)),
        hostname: reader.string("hostname", ""),
        default_domain: default_domain(reader),
        listen: addresses(reader),
        tls: tls(reader),
        store: store(reader),
        limits: limits(reader),
        lmtp: lmtp(reader),
        auth: auth(reader),
        accounts: accounts(reader),
        log: log(reader),
    }
}

fn default_domain(reader: &mut Reader<'_>) -> String {
    let domain = reader.string("default_domain", "localhost");
    if mail_directory::AccountName::parse("user", &domain).is_err() {
        reader.refuse("default_domain", "this is no domain");
    }
    domain
}

fn addresses(reader: &mut Reader<'_>) -> Listen {
    let at = SocketAddr::new;
    let everywhere = |port| [at(EVERY_V4, port), at(EVERY_V6, port)];
    let listen = Listen {
        imap: reader.addresses("listen.imap", &everywhere(143)),
        imaps: reader.addresses("listen.imaps", &everywhere(993)),
        lmtp: reader.addresses("listen.lmtp", &[at(LOOPBACK, 24)]),
        lmtp_socket: reader.optional_path("listen.lmtp_socket"),
        sockets: listen::sockets(reader),
        proxy_from: reader.parsed(
            "listen.proxy_from",
            listen::NETWORKS,
            Networks::default(),
            Networks::parse,
        ),
        admin: reader.parsed(
            "listen.admin",
            "an address with a port such as \"127.0.0.1:8143\", or \"\" for none",
            Some(at(LOOPBACK, 8143)),
            |text| {
                if text.is_empty() {
                    Some(None)
                } else {
                    text.parse().ok().map(Some)
                }
            },
        ),
    };
    listen::check_ports(reader, &listen);
    listen
}

fn tls(reader: &mut Reader<'_>) -> Tls {
    let fields = [("chain", Need::Required), ("key", Need::Required)];
    let tables = reader
        .tables("tls.certificates", &fields)
        .unwrap_or_default();
    let files = |table: super::reader::Fields<'_>| CertificateFiles {
        chain: PathBuf::from(table.string(reader, "chain")),
        key: PathBuf::from(table.string(reader, "key")),
    };
    Tls {
        certificates: tables.into_iter().map(files).collect(),
    }
}

fn store(reader: &mut Reader<'_>) -> Store {
    let segment = SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX;
    let size_max = reader.size("store.size_max", 0..=u64::MAX, 0);
    let store = Store {
        size_max: Some(size_max).filter(|size| *size > 0),
        segment_bytes: reader.size("store.segment_bytes", segment, SEGMENT_BYTES_DEFAULT),
        body_cache_bytes: reader.size("store.body_cache_bytes", 0..=1 << 40, 64 << 20),
        index_cache_bytes: reader.size("store.index_cache_bytes", 1 << 20..=1 << 40, 256 << 20),
    };
    if store
        .size_max
        .is_some_and(|size| size < 4 * store.segment_bytes)
    {
        reader.refuse(
            "store.size_max",
            "must hold at least four segments (store.segment_bytes)",
        );
    }
    store
}

fn limits(reader: &mut Reader<'_>) -> Limits {
    let per_address = reader.integer("limits.connections_per_address_max", 0..=10_000_000, 0);
    let per_account = reader.integer("limits.sessions_per_account_max", 0..=10_000_000, 0);
    let still_here_s = reader.integer("limits.still_here_s", 0..=SECONDS_MAX, 120);
    let running_s = reader.integer("limits.running_s", 0..=SECONDS_MAX, 0);
    let idle_timeout = IDLE_TIMEOUT_S_MIN..=SECONDS_MAX;
    Limits {
        message_bytes_max: reader.size(
            "limits.message_bytes_max",
            1 << 10..=MESSAGE_BYTES_MAX,
            50 << 20,
        ),
        connections_max: count(reader.integer("limits.connections_max", 1..=10_000_000, 100_000)),
        imap_connections_max: count(reader.integer(
            "limits.imap_connections_max",
            0..=10_000_000,
            100_000,
        )),
        lmtp_connections_max: count(reader.integer(
            "limits.lmtp_connections_max",
            0..=10_000_000,
            100_000,
        )),
        sessions_per_account_max: Some(count(per_account)).filter(|count| *count > 0),
        connections_per_address_max: Some(count(per_address)).filter(|count| *count > 0),
        idle_timeout_s: reader.integer("limits.idle_timeout_s", idle_timeout, 1800),
        login_timeout_s: reader.integer("limits.login_timeout_s", 1..=SECONDS_MAX, 60),
        still_here_s: Some(still_here_s).filter(|seconds| *seconds > 0),
        running_s: Some(running_s).filter(|seconds| *seconds > 0),
        output_stall_s: reader.integer("limits.output_stall_s", 1..=SECONDS_MAX, 120),
    }
}

fn lmtp(reader: &mut Reader<'_>) -> Lmtp {
    let codes = [("452", OverQuota::Temporary), ("552", OverQuota::Permanent)];
    Lmtp {
        over_quota: reader.choice("lmtp.over_quota", &codes, OverQuota::Temporary),
        recipient_delimiter: reader.parsed(
            "lmtp.recipient_delimiter",
            "one of the characters + - = . _ # or \"\" for none",
            Some('+'),
            |text| match (text.len(), text.chars().next()) {
                (0, _) => Some(None),
                (1, Some(c)) if "+-=._#".contains(c) => Some(Some(c)),
                _ => None,
            },
        ),
        recipients_max: count(reader.integer("lmtp.recipients_max", 100..=10_000, 1000)),
    }
}

fn auth(reader: &mut Reader<'_>) -> Auth {
    let failures = reader.integer("auth.failures_per_minute_max", 0..=1_000_000, 10);
    Auth {
        plaintext_off_loopback: reader.boolean("auth.plaintext_off_loopback", false),
        failures_per_minute_max: u32::try_from(failures)
            .ok()
            .filter(|failures| *failures > 0),
        hash_threads: count(reader.integer("auth.hash_threads", 0..=64, 0)),
    }
}

fn accounts(reader: &mut Reader<'_>) -> Accounts {
    Accounts {
        template: template(reader),
        domains: client_domains(reader),
    }
}

fn client_domains(reader: &mut Reader<'_>) -> Vec<ClientDomain> {
    const KEY: &str = "accounts.domains";
    let fields = [
        ("name", Need::Required),
        ("address", Need::Optional),
        ("tls_name", Need::Optional),
    ];
    let mut domains = Vec::new();
    for table in reader.tables(KEY, &fields).unwrap_or_default() {
        let name = table.string(reader, "name");
        let address = table.string(reader, "address");
        let tls_name = table.string(reader, "tls_name").to_lowercase();
        let Ok(user) = mail_directory::AccountName::parse("user", &name) else {
            reader.refuse(KEY, &format!("{name} is no domain"));
            continue;
        };
        let parsed = address.parse::<IpAddr>().ok();
        if parsed.is_none() && !address.is_empty() {
            reader.refuse(KEY, &format!("{address} is no IP address"));
        }
        if address.is_empty() && tls_name.is_empty() {
            reader.refuse(KEY, &format!("{name} needs an address or a tls_name"));
        }
        domains.push(ClientDomain {
            name: user.domain().to_owned(),
            address: parsed.map(|address| address.to_canonical()),
            tls_name: Some(tls_name).filter(|name| !name.is_empty()),
        });
    }
    domains
}

fn template(reader: &mut Reader<'_>) -> Template {
    let fields = [
        ("name", Need::Required),
        ("special_use", Need::Optional),
        ("class", Need::Optional),
        ("subscribed", Need::Optional),
    ];
    let Some(tables) = reader.tables("accounts.mailboxes", &fields) else {
        return Template::default();
    };
    let mut mailboxes = Vec::new();
    for table in tables {
        let special_use = table.string(reader, "special_use");
        let class = table.string(reader, "class");
        mailboxes.push(MailboxTemplate {
            name: table.string(reader, "name"),
            special_use: Some(special_use).filter(|text| !text.is_empty()),
            class: Some(class).filter(|text| !text.is_empty()),
            subscribed: table.boolean(reader, "subscribed", true),
        });
    }
    let template = Template { mailboxes };
    if let Err(error) = template.check() {
        reader.refuse("accounts.mailboxes", &error.to_string());
    }
    template
}

fn log(reader: &mut Reader<'_>) -> Log {
    let levels = [
        ("error", Level::Error),
        ("warn", Level::Warn),
        ("info", Level::Info),
        ("debug", Level::Debug),
        ("trace", Level::Trace),
    ];
    Log {
        level: reader.choice("log.level", &levels, Level::Info),
        target: match reader.string("log.target", "stderr").as_str() {
            "stderr" => LogTarget::Stderr,
            path => LogTarget::File(PathBuf::from(path)),
        },
    }
}

/// The ranges above fit a `usize` on every machine this runs on.
fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
