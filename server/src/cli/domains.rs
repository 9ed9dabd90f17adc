//! `corepost domain ...`

use std::io::Write;

use mail_directory::{MailboxTemplate, Template};

use super::Program;
use super::arguments::Domain;
use super::settings;
use super::target::Target;
use crate::admin::{AdminReply, AdminRequest};

pub(super) fn execute(
    command: Domain,
    program: &dyn Program,
    output: &mut dyn Write,
) -> Result<(), String> {
    match command {
        Domain::Add {
            name,
            mailbox,
            server,
        } => {
            let template = template(&mailbox);
            let mut target = Target::open(&server, program)?;
            target
                .ask(AdminRequest::DomainAdd { name, template })
                .map(drop)
        }
        Domain::Set {
            name,
            changes,
            server,
        } => {
            let mut target = Target::open(&server, program)?;
            target
                .ask(AdminRequest::DomainSet { name, changes })
                .map(drop)
        }
        Domain::Show { name, json, server } => {
            let request = AdminRequest::DomainShow { name };
            settings::show(&server, program, request, json, output)
        }
        Domain::Delete { name, server } => {
            let mut target = Target::open(&server, program)?;
            target.ask(AdminRequest::DomainDelete { name }).map(drop)
        }
        Domain::List { json, server } => {
            let mut target = Target::open(&server, program)?;
            let AdminReply::Domains { domains } = target.ask(AdminRequest::DomainList)? else {
                return Err("the server's answer was not understood".to_owned());
            };
            let text = if json {
                serde_json::to_string(&domains).map_err(|error| error.to_string())? + "\n"
            } else {
                domains.iter().map(|domain| format!("{domain}\n")).collect()
            };
            output
                .write_all(text.as_bytes())
                .map_err(|error| error.to_string())
        }
    }
}

/// `NAME`, `NAME=\Use` or `NAME=IPF.Class` for each mailbox; none at all is no template.
fn template(mailboxes: &[String]) -> Option<Template> {
    let mailbox = |text: &String| {
        let (name, purpose) = match text.rsplit_once('=') {
            Some((name, purpose)) if purpose.starts_with('\\') => (name, purpose),
            Some((name, purpose)) if purpose.starts_with("IPF.") => (name, purpose),
            _ => (text.as_str(), ""),
        };
        let class = Some(purpose).filter(|purpose| purpose.starts_with("IPF."));
        let special_use = Some(purpose).filter(|purpose| purpose.starts_with('\\'));
        MailboxTemplate {
            name: name.to_owned(),
            special_use: special_use.map(str::to_owned),
            class: class.map(str::to_owned),
            // Clients that only know mail show what is subscribed.
            subscribed: class.is_none(),
        }
    };
    let template = Template {
        mailboxes: mailboxes.iter().map(mailbox).collect(),
    };
    Some(template).filter(|template| !template.mailboxes.is_empty())
}
