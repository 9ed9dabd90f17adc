use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use futures_lite::future::block_on;
use mail_directory::{Directory, Password, Quota, Secret, Template};
use storage_engine::ids::AccountId;
use storage_engine::request::{Operation, Reply};

use super::*;

/// The engine that commands open, in memory; it outlives them as a disk would.
#[derive(Clone, Default)]
struct Disk(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    accounts: BTreeMap<AccountId, (Template, Quota)>,
    opened: usize,
    locked: bool,
    /// So many attempts find that somebody else has it for a moment.
    held_attempts: usize,
    served: Option<Config>,
}

struct Opened(Disk);

impl Program for Disk {
    fn demo(&self, options: DemoOptions) -> ExitCode {
        self.0.borrow_mut().served = Some(options.config);
        ExitCode::SUCCESS
    }

    fn serve(&self, config: Config) -> ExitCode {
        self.0.borrow_mut().served = Some(config);
        ExitCode::SUCCESS
    }

    fn open_offline(&self, _config: &Config) -> Result<Box<dyn OfflineEngine>, OfflineError> {
        let mut state = self.0.borrow_mut();
        state.held_attempts = state.held_attempts.saturating_sub(1);
        if state.locked || state.held_attempts > 0 {
            let holder = "process 7 holds the data directory".to_owned();
            return Err(OfflineError::Held(holder));
        }
        state.locked = true;
        state.opened += 1;
        Ok(Box::new(Opened(self.clone())))
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.0.borrow_mut().locked = false;
    }
}

impl OfflineEngine for Opened {
    fn create_account(
        &mut self,
        account: AccountId,
        template: &Template,
        quota: Quota,
    ) -> Result<(), String> {
        self.0
            .0
            .borrow_mut()
            .accounts
            .insert(account, (template.clone(), quota));
        Ok(())
    }

    fn delete_account(&mut self, account: AccountId) -> Result<(), String> {
        self.0.0.borrow_mut().accounts.remove(&account);
        Ok(())
    }

    fn operation(&mut self, _account: AccountId, _operation: Operation) -> Result<Reply, String> {
        Err("there is no mail here".to_owned())
    }

    fn set_quota(&mut self, account: AccountId, quota: Quota) -> Result<(), String> {
        self.0
            .0
            .borrow_mut()
            .accounts
            .get_mut(&account)
            .ok_or("no such account")?
            .1 = quota;
        Ok(())
    }
}

/// Runs a command line on a data directory; what it printed, if it succeeded.
fn run(disk: &Disk, data_dir: &Path, words: &[&str]) -> Option<String> {
    let data_dir = data_dir.to_str().unwrap();
    let words = ["corepost"].into_iter().chain(words.iter().copied());
    let words = words.chain(["--data-dir", data_dir]);
    let arguments = Arguments::try_parse_from(words).unwrap();
    let mut output = Vec::new();
    let code = execute(arguments, disk, &mut output);
    let is_success = format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS);
    is_success.then(|| String::from_utf8(output).unwrap())
}

fn logs_in(data_dir: &Path, name: &str, password: &str) -> bool {
    let config = Config {
        data_dir: data_dir.to_owned(),
        ..Config::default()
    };
    let directory = Directory::open(&directory_options(&config)).unwrap();
    let remote = std::net::IpAddr::from([127, 0, 0, 1]);
    let handle = directory.handle();
    let outcome = block_on(handle.authenticate(name, Password::from(password), remote));
    directory.close();
    outcome.is_ok()
}

#[test]
fn accounts_are_managed_while_no_server_runs() {
    let (disk, data) = (Disk::default(), tempfile::tempdir().unwrap());
    let run = |words: &[&str]| run(&disk, data.path(), words);
    assert!(
        run(&[
            "account",
            "add",
            "anna",
            "--password",
            "secret",
            "--quota",
            "1G"
        ])
        .is_some()
    );
    assert!(logs_in(data.path(), "anna@localhost", "secret"));
    let (template, quota) = disk.0.borrow().accounts.values().next().unwrap().clone();
    assert_eq!(
        (template, quota.bytes),
        (Template::default(), Some(1 << 30))
    );

    assert!(
        run(&["account", "add", "Anna", "--password", "x"]).is_none(),
        "the name is taken"
    );
    assert!(run(&["account", "add", "b@else.where", "--password", "x"]).is_none());
    assert!(run(&["domain", "add", "else.where", "--mailbox", "Gone=\\Trash"]).is_some());
    assert!(run(&["account", "add", "b@else.where", "--password", "x"]).is_some());
    assert_eq!(run(&["domain", "list"]).unwrap(), "else.where\nlocalhost\n");
    assert_eq!(
        run(&["domain", "list", "--json"]).unwrap(),
        "[\"else.where\",\"localhost\"]\n"
    );

    assert!(run(&["account", "passwd", "anna", "--password", "new"]).is_some());
    assert!(logs_in(data.path(), "anna", "new") && !logs_in(data.path(), "anna", "secret"));

    assert!(run(&["account", "quota", "anna", "5M", "--messages", "9"]).is_some());
    let listed = run(&["account", "list"]).unwrap();
    assert_eq!(
        listed,
        "b@else.where\nanna@localhost quota=5242880 messages=9\n"
    );
    assert!(run(&["account", "quota", "anna", "none"]).is_some());
    let listed = run(&["account", "list", "--domain", "localhost", "--json"]).unwrap();
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["name"], "anna@localhost");
    assert_eq!(listed[0]["quota"]["bytes"], serde_json::Value::Null);
    assert_eq!(listed.as_array().unwrap().len(), 1);

    assert!(
        run(&["domain", "delete", "else.where"]).is_none(),
        "it has an account"
    );
    assert!(run(&["account", "delete", "b%else.where"]).is_some());
    assert!(run(&["domain", "delete", "else.where"]).is_some());
    assert_eq!(disk.0.borrow().accounts.len(), 1);
}

#[test]
fn a_directory_that_somebody_else_holds_is_left_alone() {
    let (disk, data) = (Disk::default(), tempfile::tempdir().unwrap());
    disk.0.borrow_mut().locked = true;
    assert!(run(&disk, data.path(), &["account", "list"]).is_none());
    assert!(!data.path().join("directory.sqlite").exists());
}

/// A crash after the reservation and one after the mark: the next command finishes both.
/// A server that starts has the lock before its socket, one that stops has it after.
#[test]
fn a_directory_that_somebody_holds_for_a_moment_is_waited_for() {
    let (disk, data) = (Disk::default(), tempfile::tempdir().unwrap());
    disk.0.borrow_mut().held_attempts = 3;
    assert!(run(&disk, data.path(), &["domain", "list"]).is_some());
}

#[test]
fn what_a_crash_left_is_finished_by_the_next_command() {
    let (disk, data) = (Disk::default(), tempfile::tempdir().unwrap());
    assert!(
        run(
            &disk,
            data.path(),
            &["account", "add", "old", "--password", "x"]
        )
        .is_some()
    );
    let config = Config {
        data_dir: data.path().to_owned(),
        ..Config::default()
    };
    let directory = Directory::open(&directory_options(&config)).unwrap();
    let handle = directory.handle();
    let secret = Secret::Password(Password::from("secret"));
    let new = mail_directory::NewAccount {
        name: "new".to_owned(),
        secret,
        quota: Quota::default(),
    };
    let reserved = block_on(handle.prepare_add(new)).unwrap();
    block_on(handle.mark_deleted("old")).unwrap();
    directory.close();

    assert_eq!(
        run(&disk, data.path(), &["account", "list"]).unwrap(),
        "new@localhost\n"
    );
    let known: Vec<AccountId> = disk.0.borrow().accounts.keys().copied().collect();
    assert_eq!(known, [AccountId(reserved.id.to_bytes())]);
    assert!(logs_in(data.path(), "new", "secret"));
}

#[test]
fn a_file_of_accounts_is_imported_whole_or_not_at_all() {
    let (disk, data) = (Disk::default(), tempfile::tempdir().unwrap());
    let file = data.path().join("accounts");
    let import = |text: &str| {
        std::fs::write(&file, text).unwrap();
        run(
            &disk,
            data.path(),
            &["account", "import", file.to_str().unwrap()],
        )
    };
    assert!(import("a:{PLAIN}x\nb:{MD4}y\n").is_none());
    assert!(disk.0.borrow().accounts.is_empty());
    let text: String = (0..2_500)
        .map(|i| format!("u{i}:{{PLAIN}}p{i}:quota=1M\n"))
        .collect();
    assert_eq!(
        import(&format!("# comment\n\n{text}")).unwrap(),
        "2500 accounts added\n"
    );
    assert_eq!(disk.0.borrow().accounts.len(), 2_500);
    assert!(logs_in(data.path(), "u2499", "p2499"));
    let listed = run(&disk, data.path(), &["account", "list"]).unwrap();
    assert_eq!(listed.lines().count(), 2_500, "all pages");
    let opened = disk.0.borrow().opened;
    assert!(
        import("u1:{PLAIN}x\nv:{PLAIN}y\n").is_none(),
        "one is refused, and said so"
    );
    assert_eq!(disk.0.borrow().opened, opened + 1);
    assert!(logs_in(data.path(), "v", "y"));
}

#[test]
fn the_demo_has_its_defaults_and_prints_one_line_for_scripts() {
    let disk = Disk::default();
    let arguments = Arguments::try_parse_from(["corepost", "demo"]).unwrap();
    execute(arguments, &disk, &mut Vec::new());
    let config = disk.0.borrow_mut().served.take().unwrap();
    assert_eq!(config, Config::demo(Path::new("./corepost-data"), 1143, 0));

    let at = |port| std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let ready = DemoReady {
        imap: at(1143),
        imaps: at(1144),
        lmtp: at(1145),
        admin: at(1146),
        account: DEMO_ACCOUNT.to_owned(),
        password: DEMO_PASSWORD.to_owned(),
    };
    let mut output = Vec::new();
    ready.print(true, &mut output).unwrap();
    assert_eq!(
        String::from_utf8(output).unwrap(),
        "{\"imap\":\"127.0.0.1:1143\",\"imaps\":\"127.0.0.1:1144\",\"lmtp\":\"127.0.0.1:1145\",\
         \"admin\":\"127.0.0.1:1146\",\"account\":\"demo@localhost\",\"password\":\"demo\"}\n"
    );
}

#[test]
fn serve_reads_its_file_first() {
    let (disk, data) = (Disk::default(), tempfile::tempdir().unwrap());
    let file = data.path().join("c.toml");
    let serve = |text: &str, word: &str| {
        std::fs::write(&file, text).unwrap();
        let words = ["corepost", word, "--config", file.to_str().unwrap()];
        let code = execute(
            Arguments::try_parse_from(words).unwrap(),
            &disk,
            &mut Vec::new(),
        );
        format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS)
    };
    assert!(!serve("shardz = 1", "serve") && disk.0.borrow().served.is_none());
    assert!(!serve("shardz = 1", "check-config"));
    assert!(serve("shards = 3", "check-config") && disk.0.borrow().served.is_none());
    assert!(serve("shards = 3", "serve"));
    assert_eq!(disk.0.borrow().served.as_ref().unwrap().shards, 3);
}

#[test]
fn commands_must_say_which_server() {
    let parse = |words: &[&str]| {
        Arguments::try_parse_from(["corepost"].iter().chain(words))
            .map(|_| ())
            .is_ok()
    };
    assert!(!parse(&["account", "list"]));
    assert!(!parse(&[
        "account",
        "list",
        "--data-dir",
        "d",
        "--config",
        "f"
    ]));
    assert!(parse(&["account", "list", "--config", "f"]));
    assert!(!parse(&[
        "account",
        "add",
        "a",
        "--password",
        "p",
        "--password-stdin",
        "--data-dir",
        "d"
    ]));
    assert!(!parse(&[
        "account",
        "quota",
        "a",
        "much",
        "--data-dir",
        "d"
    ]));
    assert!(!parse(&["demo", "--port-base", "65533"]));
}

#[test]
fn a_password_is_the_first_line_of_standard_input() {
    let mut input = &b"sec ret\r\nmore"[..];
    assert_eq!(*password::first_line(&mut input).unwrap(), "sec ret");
}

#[test]
fn secrets_do_not_show_in_arguments() {
    let words = [
        "corepost",
        "account",
        "add",
        "a",
        "--password",
        "hunter2",
        "--data-dir",
        "d",
    ];
    let arguments = Arguments::try_parse_from(words).unwrap();
    assert!(!format!("{arguments:?}").contains("hunter2"));
}

#[test]
fn routes_are_set_shown_tested_and_removed() {
    let (disk, folder) = (Disk::default(), tempfile::tempdir().unwrap());
    let run = |words: &[&str]| run(&disk, folder.path(), words);
    assert!(run(&["account", "add", "anna", "--password", "p"]).is_some());
    for (source, target) in [
        ("j.smith", "John@othercompany.com"),
        ("info", "anna"),
        ("*@localhost", "reject:Nobody here"),
    ] {
        assert!(run(&["route", "set", source, target]).is_some(), "{source}");
    }
    let shown = "<*@localhost> = reject:Nobody here\n\
        <info@localhost> = anna@localhost\n\
        <j.smith@localhost> = John@othercompany.com\n";
    assert_eq!(run(&["route", "show"]).unwrap(), shown);
    assert!(
        run(&["route", "show", "--json"])
            .unwrap()
            .starts_with("[{\"source\":")
    );
    let test = |address| run(&["route", "test", address]).unwrap();
    assert_eq!(test("info"), "info@localhost\naccount anna@localhost\n");
    assert_eq!(
        test("j.smith"),
        "j.smith@localhost\nmoved to John@othercompany.com\n"
    );
    assert_eq!(test("x"), "x@localhost\nrejected: Nobody here\n");
    assert_eq!(test("x@elsewhere.org"), "nobody\n");
    assert!(run(&["route", "remove", "info"]).is_some());
    assert!(run(&["route", "remove", "info"]).is_none());
    assert!(run(&["route", "set", "a b", "c"]).is_none());
}

#[test]
fn running_is_a_setting_of_a_server_that_runs() {
    let (disk, folder) = (Disk::default(), tempfile::tempdir().unwrap());
    assert!(run(&disk, folder.path(), &["running", "never"]).is_none());
    for bad in ["0", "-1", "86401", "often"] {
        let words = ["corepost", "running", bad, "--data-dir", "d"];
        assert!(Arguments::try_parse_from(words).is_err(), "{bad}");
    }
}
