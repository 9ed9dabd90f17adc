//! Shows the settings of an account or a domain.

use std::io::Write;

use mail_directory::settings::Origin;

use super::Program;
use super::arguments::Which;
use super::target::Target;
use crate::admin::{AdminReply, AdminRequest, SettingLine};

pub(super) fn show(
    server: &Which,
    program: &dyn Program,
    request: AdminRequest,
    json: bool,
    output: &mut dyn Write,
) -> Result<(), String> {
    let AdminReply::Settings { settings } = Target::open(server, program)?.ask(request)? else {
        return Err("the server's answer was not understood".to_owned());
    };
    let text = if json {
        serde_json::to_string(&settings).map_err(|error| error.to_string())? + "\n"
    } else {
        settings.iter().map(human).collect()
    };
    output
        .write_all(text.as_bytes())
        .map_err(|error| error.to_string())
}

/// As it could be given to `set`, and where it is from.
fn human(line: &SettingLine) -> String {
    let origin = match line.origin {
        Origin::Account => "its own",
        Origin::Domain => "of the domain",
        Origin::Default => "default",
    };
    format!("{}={} ({origin})\n", line.key, line.value)
}
