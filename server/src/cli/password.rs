//! Where passwords come from.

use std::io::BufRead;

use mail_directory::Password;
use zeroize::Zeroizing;

use super::arguments::PasswordFrom;

/// The password that was given, read or typed (twice).
pub(super) fn obtain(from: PasswordFrom) -> Result<Password, String> {
    let password = if let Some(text) = from.text {
        Zeroizing::new(text)
    } else if from.stdin {
        first_line(&mut std::io::stdin().lock())?
    } else {
        prompt()?
    };
    if password.is_empty() {
        return Err("the password is empty".to_owned());
    }
    Ok(Password::new(password.as_bytes()))
}

pub(super) fn first_line(input: &mut dyn BufRead) -> Result<Zeroizing<String>, String> {
    let mut line = Zeroizing::new(String::new());
    input
        .read_line(&mut line)
        .map_err(|error| format!("standard input: {error}"))?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}

fn prompt() -> Result<Zeroizing<String>, String> {
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt)
            .map(Zeroizing::new)
            .map_err(|error| format!("cannot ask for the password: {error}; see --password-stdin"))
    };
    let password = ask("New password: ")?;
    if *password != *ask("Again: ")? {
        return Err("the passwords are not the same".to_owned());
    }
    Ok(password)
}
