//! `corepost alert ...`

use std::io::Write;

use mail_directory::alerts::Alert as Posted;

use super::Program;
use super::arguments::{Alert, Audience};
use super::target::Target;
use crate::admin::{AdminReply, AdminRequest, AlertAudience, AlertRequest};

pub(super) fn execute(
    command: Alert,
    program: &dyn Program,
    output: &mut dyn Write,
) -> Result<(), String> {
    let (server, request, json) = match command {
        Alert::Post {
            audience,
            text,
            server,
        } => {
            let audience = audience.of();
            (server, AlertRequest::Post { audience, text }, false)
        }
        Alert::List {
            audience,
            json,
            server,
        } => {
            let audience = audience.of();
            (server, AlertRequest::List { audience }, json)
        }
        Alert::Remove {
            audience,
            number,
            server,
        } => {
            let audience = audience.of();
            (server, AlertRequest::Remove { audience, number }, false)
        }
    };
    let reply = Target::open(&server, program)?.ask(AdminRequest::Alert(request))?;
    let AdminReply::Alerts { alerts } = reply else {
        return Ok(());
    };
    let text = if json {
        serde_json::to_string(&alerts).map_err(|error| error.to_string())? + "\n"
    } else {
        alerts.iter().map(human).collect()
    };
    output
        .write_all(text.as_bytes())
        .map_err(|error| error.to_string())
}

impl Audience {
    fn of(self) -> AlertAudience {
        match (self.account, self.domain) {
            (Some(name), _) => AlertAudience::Account { name },
            (None, Some(name)) => AlertAudience::Domain { name },
            (None, None) => AlertAudience::Server,
        }
    }
}

/// The number first: it is what `remove` wants.
fn human(alert: &Posted) -> String {
    let posted = jiff::Timestamp::from_second(alert.posted_s).unwrap_or_default();
    format!("{} {posted} {}\n", alert.number, alert.text)
}
