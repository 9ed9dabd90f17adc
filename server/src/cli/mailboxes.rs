//! `corepost mailbox ...`

use std::io::Write;

use clap::{Args, Subcommand};

use super::Program;
use super::arguments::Which;
use super::target::Target;
use crate::admin::{AdminReply, AdminRequest, MailboxAction, MailboxLine, RightsLine};

#[derive(Debug, Subcommand)]
pub(super) enum Mailbox {
    /// List mailboxes of an account, of whatever class.
    List {
        /// user or user@domain.
        account: String,
        /// As a JSON array.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: Which,
    },
    /// Show one mailbox.
    Info {
        #[command(flatten)]
        named: Named,
        /// As a JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Make a mailbox and the names above it. With / at its end it is a name for others below it
    /// and holds no messages.
    Create {
        #[command(flatten)]
        named: Named,
        /// What it is for, such as IPF.Contact, IPF.Appointment, IPF.Task or IPF.StickyNote; mail
        /// if it is not given.
        #[arg(long, default_value = "")]
        class: String,
    },
    /// Rename a mailbox and all below it.
    Rename {
        #[command(flatten)]
        named: Named,
        /// Its new name.
        to: String,
    },
    /// Delete a mailbox with its messages.
    Delete {
        #[command(flatten)]
        named: Named,
    },
    /// Show or set what a mailbox is for.
    Class {
        #[command(flatten)]
        named: Named,
        /// The new class; "" is mail. Without it the class is shown.
        class: Option<String>,
    },
    /// Show or change who else may do what with a mailbox (RFC 4314).
    ///
    /// ID is an account, anyone, anyone@ (the owner's domain), anyone@DOMAIN or #GROUP; -ID takes
    /// rights away and stands behind a --. RIGHTS are letters of lrswipkxtea: they replace those
    /// of the entry, with + before them they are added, with - removed. Other entries stay.
    Acl {
        #[command(flatten)]
        named: Named,
        /// Changes; without any the list is shown.
        #[arg(value_name = "ID=RIGHTS", value_parser = rights)]
        changes: Vec<RightsLine>,
    },
}

/// A mailbox of an account of a server.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// user or user@domain.
    account: String,
    /// Its name, UTF-8, with / between levels.
    mailbox: String,
    #[command(flatten)]
    server: Which,
}

pub(super) fn execute(
    command: Mailbox,
    program: &dyn Program,
    output: &mut dyn Write,
) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    match command {
        Mailbox::List {
            account,
            json,
            server,
        } => {
            let mut target = Target::open(&server, program)?;
            list(&mut target, &account, json, output)
        }
        Mailbox::Info { named, json } => {
            let line = info(named, program)?;
            let text = match json {
                true => serde_json::to_string(&line).map_err(|error| error.to_string())?,
                false => human(&line),
            };
            writeln!(output, "{text}").map_err(failed)
        }
        Mailbox::Acl { named, changes } => acl(named, changes, program, output),
        Mailbox::Class { named, class: None } => {
            let line = info(named, program)?;
            writeln!(output, "{}", line.class).map_err(failed)
        }
        Mailbox::Class {
            named,
            class: Some(class),
        } => change(named, program, |mailbox| MailboxAction::SetClass {
            mailbox,
            class,
        }),
        Mailbox::Create { named, class } => change(named, program, |mailbox| {
            MailboxAction::Create { mailbox, class }
        }),
        Mailbox::Rename { named, to } => {
            change(named, program, |from| MailboxAction::Rename { from, to })
        }
        Mailbox::Delete { named } => {
            change(named, program, |mailbox| MailboxAction::Delete { mailbox })
        }
    }
}

fn change(
    named: Named,
    program: &dyn Program,
    action: impl FnOnce(String) -> MailboxAction,
) -> Result<(), String> {
    let request = AdminRequest::Mailbox {
        account: named.account,
        action: action(named.mailbox),
    };
    Target::open(&named.server, program)?.ask(request).map(drop)
}

fn acl(
    named: Named,
    changes: Vec<RightsLine>,
    program: &dyn Program,
    output: &mut dyn Write,
) -> Result<(), String> {
    let mailbox = named.mailbox;
    let request = AdminRequest::Mailbox {
        account: named.account,
        action: MailboxAction::Rights { mailbox, changes },
    };
    let reply = Target::open(&named.server, program)?.ask(request)?;
    let AdminReply::Rights { entries } = reply else {
        return Err(not_understood());
    };
    let line = |line: &RightsLine| format!("{} {}\n", line.identifier, line.rights);
    let text: String = entries.iter().map(line).collect();
    output
        .write_all(text.as_bytes())
        .map_err(|error| error.to_string())
}

/// `ID=RIGHTS`; an id may have `=` in it, rights have not.
fn rights(text: &str) -> Result<RightsLine, String> {
    let (identifier, rights) = text.rsplit_once('=').ok_or("expected ID=RIGHTS")?;
    Ok(RightsLine {
        identifier: identifier.to_owned(),
        rights: rights.to_owned(),
    })
}

fn info(named: Named, program: &dyn Program) -> Result<MailboxLine, String> {
    let Named {
        account,
        mailbox,
        server,
    } = named;
    let mut target = Target::open(&server, program)?;
    let mailboxes = ask(&mut target, account, MailboxAction::Info { mailbox })?;
    mailboxes.into_iter().next().ok_or_else(not_understood)
}

fn list(
    target: &mut Target,
    account: &str,
    json: bool,
    output: &mut dyn Write,
) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let action = MailboxAction::List { after };
        let page = ask(target, account.to_owned(), action)?;
        let Some(last) = page.last() else { break };
        after = Some(last.name.clone());
        all.extend(page);
    }
    if json {
        let text = serde_json::to_string(&all).map_err(|error| error.to_string())?;
        return writeln!(output, "{text}").map_err(failed);
    }
    for line in &all {
        writeln!(output, "{}", human(line)).map_err(failed)?;
    }
    Ok(())
}

fn ask(
    target: &mut Target,
    account: String,
    action: MailboxAction,
) -> Result<Vec<MailboxLine>, String> {
    match target.ask(AdminRequest::Mailbox { account, action })? {
        AdminReply::Mailboxes { mailboxes } => Ok(mailboxes),
        _ => Err(not_understood()),
    }
}

fn not_understood() -> String {
    "the server's answer was not understood".to_owned()
}

/// The name last: it may have blanks.
fn human(line: &MailboxLine) -> String {
    let MailboxLine {
        name,
        class,
        selectable,
        messages,
        unseen,
        bytes,
        uid_validity,
        uid_next,
    } = line;
    if !selectable {
        return format!("(only a name) {name}");
    }
    let class = if class.is_empty() { "mail" } else { class };
    format!(
        "messages={messages} unseen={unseen} bytes={bytes} uidvalidity={uid_validity} \
         uidnext={uid_next} class={class} {name}"
    )
}
