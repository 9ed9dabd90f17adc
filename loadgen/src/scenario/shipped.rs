//! The scenarios that come with the program, by name.

/// Name and text of each.
pub const SHIPPED: [(&str, &str); 15] = [
    (
        "login-logout",
        include_str!("../../scenarios/login-logout.toml"),
    ),
    ("noop", include_str!("../../scenarios/noop.toml")),
    ("list", include_str!("../../scenarios/list.toml")),
    (
        "fetch-headers",
        include_str!("../../scenarios/fetch-headers.toml"),
    ),
    (
        "fetch-body",
        include_str!("../../scenarios/fetch-body.toml"),
    ),
    (
        "store-flags",
        include_str!("../../scenarios/store-flags.toml"),
    ),
    ("append", include_str!("../../scenarios/append.toml")),
    ("search", include_str!("../../scenarios/search.toml")),
    ("sync", include_str!("../../scenarios/sync.toml")),
    (
        "idle-notify",
        include_str!("../../scenarios/idle-notify.toml"),
    ),
    (
        "shared-mailbox",
        include_str!("../../scenarios/shared-mailbox.toml"),
    ),
    ("lmtp", include_str!("../../scenarios/lmtp.toml")),
    ("idle", include_str!("../../scenarios/idle.toml")),
    ("office", include_str!("../../scenarios/office.toml")),
    ("mobile", include_str!("../../scenarios/mobile.toml")),
];

/// The text of the scenario of that name.
pub fn shipped(name: &str) -> Option<&'static str> {
    SHIPPED
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}
