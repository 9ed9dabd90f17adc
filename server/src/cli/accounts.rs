//! `corepost account ...`

use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use mail_directory::import::parse_line;
use mail_directory::{Quota, Secret, State};

use super::Program;
use super::arguments::{Account, Which};
use super::password;
use super::settings;
use super::target::Target;
use crate::admin::{AccountLine, AdminReply, AdminRequest, ImportAccount, ImportOutcome};

/// Faulty lines of an import file that are shown; the rest is only counted.
const FAULTS_SHOWN_MAX: usize = 20;
/// Accounts in one request of an import.
const BATCH_ACCOUNTS: usize = 1_000;

pub(super) fn execute(
    command: Account,
    program: &dyn Program,
    output: &mut dyn Write,
) -> Result<(), String> {
    match command {
        Account::Add {
            name,
            password,
            quota,
            server,
        } => {
            let request = AdminRequest::AccountAdd {
                name,
                password: password::obtain(password)?,
                quota: of(quota, None),
            };
            done(&server, program, request)
        }
        Account::Passwd {
            name,
            password,
            server,
        } => {
            let password = password::obtain(password)?;
            let request = AdminRequest::AccountPassword { name, password };
            done(&server, program, request)
        }
        Account::Delete { name, server } => {
            done(&server, program, AdminRequest::AccountDelete { name })
        }
        Account::Quota {
            name,
            size,
            messages,
            server,
        } => {
            let quota = of(size.0, messages);
            done(&server, program, AdminRequest::AccountQuota { name, quota })
        }
        Account::Certificate {
            name,
            certificate,
            server,
        } => {
            let certificate = certificate.read()?;
            let request = AdminRequest::AccountCertificate { name, certificate };
            done(&server, program, request)
        }
        Account::List {
            domain,
            json,
            server,
        } => {
            let mut target = Target::open(&server, program)?;
            list(&mut target, domain.as_deref(), json, output)
        }
        Account::Set {
            name,
            changes,
            server,
        } => done(&server, program, AdminRequest::AccountSet { name, changes }),
        Account::Show { name, json, server } => {
            let request = AdminRequest::AccountShow { name };
            settings::show(&server, program, request, json, output)
        }
        Account::Import { file, server } => import(&file, &server, program, output),
    }
}

fn of(bytes: Option<u64>, messages: Option<u64>) -> Quota {
    Quota { bytes, messages }
}

fn done(server: &Which, program: &dyn Program, request: AdminRequest) -> Result<(), String> {
    Target::open(server, program)?.ask(request).map(drop)
}

fn list(
    target: &mut Target,
    domain: Option<&str>,
    json: bool,
    output: &mut dyn Write,
) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    let mut after = None;
    let mut is_first = true;
    if json {
        write!(output, "[").map_err(failed)?;
    }
    loop {
        let request = AdminRequest::AccountList {
            domain: domain.map(str::to_owned),
            after: after.take(),
        };
        let AdminReply::Accounts { accounts } = target.ask(request)? else {
            return Err("the server's answer was not understood".to_owned());
        };
        let Some(last) = accounts.last() else { break };
        after = Some(last.name.clone());
        for account in &accounts {
            if json {
                let comma = if is_first { "" } else { ",\n " };
                let text = serde_json::to_string(account).map_err(|error| error.to_string())?;
                write!(output, "{comma}{text}").map_err(failed)?;
            } else {
                writeln!(output, "{}", human(account)).map_err(failed)?;
            }
            is_first = false;
        }
    }
    if json {
        writeln!(output, "]").map_err(failed)?;
    }
    Ok(())
}

/// The name first, so that `cut -d' ' -f1` gives names.
fn human(account: &AccountLine) -> String {
    let mut text = account.name.clone();
    if let Some(bytes) = account.quota.bytes {
        text += &format!(" quota={bytes}");
    }
    if let Some(messages) = account.quota.messages {
        text += &format!(" messages={messages}");
    }
    match account.state {
        State::Active => {}
        State::Reserved => text += " (being added)",
        State::Deleting => text += " (being deleted)",
    }
    text
}

/// Reads the whole file before anything is changed, so that a file with a faulty line can be mended
/// and given again.
fn import(
    file: &Path,
    server: &Which,
    program: &dyn Program,
    output: &mut dyn Write,
) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", file.display());
    let accounts = if file.as_os_str() == "-" {
        read(&mut std::io::stdin().lock(), file)?
    } else {
        read(
            &mut BufReader::new(std::fs::File::open(file).map_err(failed)?),
            file,
        )?
    };
    let mut target = Target::open(server, program)?;
    let (mut added, mut refused) = (0_usize, 0_usize);
    for batch in accounts.chunks(BATCH_ACCOUNTS) {
        let request = AdminRequest::AccountImport {
            accounts: batch.iter().map(|(_, account)| account.clone()).collect(),
        };
        let AdminReply::Imported { outcomes } = target.ask(request)? else {
            return Err("the server's answer was not understood".to_owned());
        };
        for ((line, account), outcome) in batch.iter().zip(&outcomes) {
            match outcome {
                ImportOutcome::Added => added += 1,
                ImportOutcome::Refused(reason) => {
                    refused += 1;
                    if refused <= FAULTS_SHOWN_MAX {
                        eprintln!("{}:{line}: {}: {reason}", file.display(), account.name);
                    }
                }
            }
        }
    }
    writeln!(output, "{added} accounts added").map_err(failed)?;
    if refused > 0 {
        return Err(format!("{refused} accounts refused"));
    }
    Ok(())
}

fn read(input: &mut dyn BufRead, file: &Path) -> Result<Vec<(usize, ImportAccount)>, String> {
    let (mut accounts, mut faults) = (Vec::new(), 0_usize);
    for (index, line) in input.lines().enumerate() {
        let line = line.map_err(|error| format!("{}: {error}", file.display()))?;
        let reason = match parse_line(&line) {
            None => continue,
            Some(Ok(new)) => match new.secret {
                Secret::Hash(hash) => {
                    let account = ImportAccount {
                        name: new.name,
                        hash,
                        quota: new.quota,
                    };
                    accounts.push((index + 1, account));
                    continue;
                }
                Secret::Password(_) => "expected a hash".to_owned(),
            },
            Some(Err(error)) => error.to_string(),
        };
        faults += 1;
        if faults <= FAULTS_SHOWN_MAX {
            eprintln!("{}:{}: {reason}", file.display(), index + 1);
        }
    }
    if faults > 0 {
        return Err(format!("{faults} faulty lines; nothing was imported"));
    }
    Ok(accounts)
}
