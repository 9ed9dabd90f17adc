use super::reader::read;
use super::*;
use std::collections::BTreeSet;

const SAMPLE: &str = include_str!("../../../deploy/corepost.sample.toml");

/// The text has exactly these faults.
#[track_caller]
fn check(text: &str, expected: &[(usize, &str)]) {
    let faults = Config::parse(text).err().unwrap_or_default();
    let seen: Vec<_> = faults
        .iter()
        .map(|fault| (fault.line, fault.text.as_str()))
        .collect();
    assert_eq!(seen, expected, "{text}");
}

/// The sample with its keys in force: a `#` that is followed by a key, by a continued value or by
/// the end of one is taken away; prose has a blank and a word there.
fn sample_in_force() -> String {
    let uncommented = |line: &str| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with("    ") => rest.to_owned(),
        Some(rest) if !rest.starts_with(' ') => rest.to_owned(),
        Some(_) | None => line.to_owned(),
    };
    SAMPLE
        .lines()
        .map(|line| uncommented(line) + "\n")
        .collect()
}

/// All keys of a document, as `key` or `section.key`.
fn keys_of(text: &str) -> BTreeSet<String> {
    let document: toml::Table = text.parse().unwrap();
    let mut keys = BTreeSet::new();
    for (name, value) in document {
        match value {
            toml::Value::Table(section) => {
                keys.extend(section.keys().map(|key| format!("{name}.{key}")));
            }
            _ => {
                keys.insert(name);
            }
        }
    }
    keys
}

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(Config::parse(""), Ok(Config::default()));
}

#[test]
fn the_sample_as_it_is_changes_nothing() {
    assert_eq!(Config::parse(SAMPLE), Ok(Config::default()));
}

#[test]
fn the_sample_has_every_key_with_its_default() {
    let sample = sample_in_force();
    assert_eq!(Config::parse(&sample), Ok(Config::default()));
    let mut known = BTreeSet::new();
    read("", |reader| {
        keys::config(reader);
        known = reader.known().iter().map(|key| (*key).to_owned()).collect();
    })
    .unwrap();
    assert_eq!(keys_of(&sample), known);
}

/// An administrator takes a `#` away to change a key, so each begins its line that way.
#[test]
fn every_key_of_the_sample_is_commented_out() {
    for key in keys_of(&sample_in_force()) {
        assert!(
            SAMPLE.contains(&format!("\n#{} = ", key.rsplit('.').next().unwrap())),
            "{key}"
        );
    }
}

#[test]
fn values_are_read() {
    let config = Config::parse(
        r#"
        data_dir = "/data"
        [listen]
        imap = ["127.0.0.1:1143", "[::1]:1143"]
        imaps = []
        lmtp_socket = "/run/lmtp"
        admin = ""
        [tls]
        certificates = [{ chain = "a.pem", key = "a.key" }]
        [store]
        size_max = "2G"
        [limits]
        message_bytes_max = 1_000_000
        still_here_s = 0
        [lmtp]
        over_quota = "552"
        recipient_delimiter = "-"
        [accounts]
        mailboxes = [{ name = "Sent", special_use = "\\Sent", subscribed = false }]
        [log]
        target = "/var/log/corepost.log"
        "#,
    )
    .unwrap();
    assert_eq!(config.data_dir, Path::new("/data"));
    assert_eq!(config.listen.imap.len(), 2);
    assert!(config.listen.imaps.is_empty());
    assert_eq!(
        config.listen.lmtp_socket.as_deref(),
        Some(Path::new("/run/lmtp"))
    );
    assert_eq!(config.listen.admin, None);
    assert_eq!(config.tls.certificates[0].key, Path::new("a.key"));
    assert_eq!(config.store.size_max, Some(2 << 30));
    assert_eq!(config.limits.message_bytes_max, 1_000_000);
    assert_eq!(config.limits.still_here_s, None);
    assert_eq!(config.lmtp.over_quota, OverQuota::Permanent);
    assert_eq!(config.lmtp.recipient_delimiter, Some('-'));
    assert!(!config.accounts.template.mailboxes[0].subscribed);
    assert_eq!(
        config.log.target,
        LogTarget::File("/var/log/corepost.log".into())
    );
}

#[test]
fn unknown_keys_are_named_with_the_right_spelling() {
    check(
        "data_dri = \"x\"\n[listen]\nimpa = []\nimapss = []\n[limts]\nidle_timeout_s = 1800\n",
        &[
            (1, "data_dri: unknown key; did you mean data_dir?"),
            (3, "listen.impa: unknown key; did you mean listen.imap?"),
            (4, "listen.imapss: unknown key; did you mean listen.imaps?"),
            (5, "limts: unknown section; did you mean [limits]?"),
        ],
    );
    check(
        "level = \"info\"",
        &[(1, "level: unknown key; did you mean log.level?")],
    );
    check("zzzz = 1", &[(1, "zzzz: unknown key")]);
    check(
        "listen = 5",
        &[(1, "listen: expected a section, written as [listen]")],
    );
    check(
        "[tls]\ncertificates = [\n{ chian = \"a\", key = \"b\" }]",
        &[
            (
                3,
                "tls.certificates.chian: unknown key; did you mean chain?",
            ),
            (3, "tls.certificates: chain is missing"),
        ],
    );
}

#[test]
fn bad_values_are_named_with_what_is_right() {
    check(
        "shards = \"two\"\n\n[limits]\nidle_timeout_s = 60\n",
        &[
            (
                1,
                "shards: expected a whole number from 0 to 1024, found \"two\"",
            ),
            (
                4,
                "limits.idle_timeout_s: expected a whole number from 1800 to 86400, found 60",
            ),
        ],
    );
    check(
        "[log]\nlevel = \"loud\"",
        &[(
            2,
            "log.level: expected one of \"error\", \"warn\", \"info\", \"debug\", \"trace\", \
             found \"loud\"",
        )],
    );
    check(
        "default_domain = \"a b\"",
        &[(1, "default_domain: this is no domain")],
    );
    check(
        "[accounts]\nmailboxes = [{ name = \"All\", special_use = \"\\\\All\" }]",
        &[(
            2,
            "accounts.mailboxes: a special use is one of \\Archive, \\Drafts, \\Junk, \\Sent, \
             \\Trash",
        )],
    );
    check(
        "[store]\nsize_max = 1024",
        &[(
            2,
            "store.size_max: must hold at least four segments (store.segment_bytes)",
        )],
    );
}

#[test]
fn a_domain_of_names_without_one_needs_a_name_and_a_sign() {
    let domain = "[accounts]\ndomains = [ { name = \"Client2.COM\", address = \"192.0.2.7\", \
                  tls_name = \"MAIL.client2.com\" } ]";
    let domains = Config::parse(domain).unwrap().accounts.domains;
    let expected = ClientDomain {
        name: "client2.com".to_owned(),
        address: Some("192.0.2.7".parse().unwrap()),
        tls_name: Some("mail.client2.com".to_owned()),
    };
    assert_eq!(domains, [expected]);
    check(
        "accounts.domains = [ { name = \"a.org\" } ]",
        &[(1, "accounts.domains: a.org needs an address or a tls_name")],
    );
    check(
        "accounts.domains = [ { name = \"a..b\", address = \"x\" } ]",
        &[(1, "accounts.domains: a..b is no domain")],
    );
    check(
        "accounts.domains = [ { name = \"a.org\", address = \"x\" } ]",
        &[(1, "accounts.domains: x is no IP address")],
    );
}

#[test]
fn a_syntax_error_names_its_line_and_hides_no_other_fault() {
    let faults = Config::parse("shards = \n[log]\nlevle = \"info\"\n").unwrap_err();
    assert!(faults.iter().any(|fault| fault.line == 1), "{faults:?}");
    assert!(
        faults.iter().any(|fault| fault.text.contains("log.level")),
        "{faults:?}"
    );
}

#[test]
fn the_demo_listens_on_four_ports_in_a_row_or_on_any() {
    let listen = Config::demo(Path::new("d"), 1143, 2).listen;
    let ports = [
        listen.imap[0],
        listen.imaps[0],
        listen.lmtp[0],
        listen.admin.unwrap(),
    ];
    assert_eq!(
        ports.map(|address| address.port()),
        [1143, 1144, 1145, 1146]
    );
    assert!(ports.iter().all(|address| address.ip().is_loopback()));
    let any = Config::demo(Path::new("d"), 0, 2).listen;
    assert_eq!((any.imap[0].port(), any.imaps[0].port()), (0, 0));
}

#[test]
fn errors_name_the_file() {
    let error = Config::load(Path::new("/nowhere/corepost.toml")).unwrap_err();
    assert!(
        error.to_string().starts_with("/nowhere/corepost.toml: "),
        "{error}"
    );
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("corepost.toml");
    std::fs::write(&path, "\nshardz = 1\n").unwrap();
    let error = Config::load(&path).unwrap_err().to_string();
    let expected = format!(
        "{}:2: shardz: unknown key; did you mean shards?",
        path.display()
    );
    assert_eq!(error, expected);
}
