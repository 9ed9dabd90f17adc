//! A small server that can be told to make one mistake.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::mail::{MailWriter, marker};

/// Lengths of the server's messages; one is larger than a receive buffer.
const SIZES: [usize; 3] = [40_000, 512, 700];
/// UID of the first message; the others follow.
const FIRST_UID: usize = 11;

/// What the server does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    Nothing,
    AnswersSlowly,
    RefusesLogin,
    RefusesCommands,
    AnswersWithOldTag,
    ClosesAfterLogin,
    NeverAnswers,
    LosesAMessage,
    ListsOutOfOrder,
    SendsShortBody,
    SendsOtherBody,
    FlipsABit,
    AnnouncesMoreThanItSends,
    AnnouncesLessThanItSends,
    SendsNoBody,
    SendsBodyTwice,
    SendsOtherUid,
    IgnoresStore,
    TellsNothingOfStore,
    GivesAUidTwice,
    FindsTooMuch,
    FindsNothing,
    ForgetsModSeqs,
    TellsNoIdler,
}

struct Server {
    mistake: Mistake,
    flagged: Mutex<[bool; 3]>,
    next_uid: AtomicU32,
    selects: AtomicU32,
    /// Sessions in IDLE.
    idlers: Mutex<Vec<TcpStream>>,
}

/// Starts an IMAP server; its threads end with the test's process.
pub fn serve(mistake: Mistake) -> SocketAddr {
    let server = Arc::new(Server {
        mistake,
        flagged: Mutex::new([false, true, false]),
        next_uid: AtomicU32::new(100),
        selects: AtomicU32::new(0),
        idlers: Mutex::new(Vec::new()),
    });
    listen(move |stream| serve_one(stream, &server))
}

/// Starts an LMTP server.
pub fn serve_lmtp(mistake: Mistake) -> SocketAddr {
    listen(move |stream| serve_one_lmtp(stream, mistake))
}

fn listen(serve: impl Fn(TcpStream) -> std::io::Result<()> + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let serve = serve.clone();
            // A client that goes away is no failure of the server's.
            thread::spawn(move || serve(stream.unwrap()).ok());
        }
    });
    address
}

fn serve_one(mut stream: TcpStream, server: &Server) -> std::io::Result<()> {
    let mistake = server.mistake;
    let mut reader = BufReader::new(stream.try_clone()?);
    stream.write_all(b"* OK [CAPABILITY IMAP4rev1] see {3}\r\n")?;
    let mut line = String::new();
    let mut idle_tag = None;
    while reader.read_line(&mut line)? > 0 {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let Some(tag) = idle_tag.take() {
            stream.write_all(format!("{tag} OK done\r\n").as_bytes())?;
            line.clear();
            continue;
        }
        if let Some(length) = words.last().and_then(|word| word.strip_suffix("+}")) {
            let length: usize = length.trim_start_matches('{').parse().unwrap();
            let mut message = vec![0; length + 2];
            reader.read_exact(&mut message)?;
        }
        if mistake == Mistake::NeverAnswers && words[1] != "LOGIN" {
            line.clear();
            continue;
        }
        if mistake == Mistake::AnswersSlowly && words[1] == "NOOP" {
            thread::sleep(Duration::from_millis(100));
        }
        if words[1] == "IDLE" {
            stream.write_all(b"+ idling\r\n")?;
            server.idlers.lock().unwrap().push(stream.try_clone()?);
            idle_tag = Some(words[0].to_owned());
        } else {
            stream.write_all(&server.answer(&words))?;
        }
        if words[1] == "LOGOUT" || mistake == Mistake::ClosesAfterLogin {
            break;
        }
        line.clear();
    }
    Ok(())
}

fn serve_one_lmtp(mut stream: TcpStream, mistake: Mistake) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    stream.write_all(b"220 here\r\n")?;
    let mut line = String::new();
    let mut is_message = false;
    while reader.read_line(&mut line)? > 0 {
        let answer: &[u8] = match line.trim_end() {
            "." => {
                is_message = false;
                b"250 kept\r\n"
            }
            _ if is_message => b"",
            "DATA" => {
                is_message = true;
                b"354 go on\r\n"
            }
            word if word.starts_with("LHLO") => b"250-here\r\n250 PIPELINING\r\n",
            word if word.starts_with("RCPT") && mistake == Mistake::RefusesCommands => {
                b"550 nobody\r\n"
            }
            _ => b"250 fine\r\n",
        };
        stream.write_all(answer)?;
        line.clear();
    }
    Ok(())
}

impl Server {
    fn answer(&self, words: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut status = "OK";
        let mistake = self.mistake;
        match (words[1], words.get(2).copied()) {
            ("LOGIN", _) if mistake == Mistake::RefusesLogin => status = "NO",
            ("LOGIN", _) => assert_eq!(words[2..], ["u", "p"]),
            _ if mistake == Mistake::RefusesCommands => status = "BAD",
            ("SELECT", _) => self.select(&mut out),
            ("FETCH", Some(set)) => self.fetch(set, words, &mut out),
            ("UID", Some("FETCH")) if words[3] == "1:*" => self.changes(&mut out),
            ("UID", Some("FETCH")) => self.body(index(words), &mut out),
            ("UID", Some("STORE")) => self.store(index(words), words[4] == "+FLAGS", &mut out),
            ("UID", Some("SEARCH")) => self.search(words[4], &mut out),
            ("APPEND", _) => {
                let uid = match mistake {
                    Mistake::GivesAUidTwice => 100,
                    _ => self.next_uid.fetch_add(1, Ordering::SeqCst),
                };
                return format!("{} OK [APPENDUID 5 {uid}] kept\r\n", words[0]).into_bytes();
            }
            ("LIST", _) => out.extend_from_slice(b"* LIST () \"/\" INBOX\r\n"),
            ("CAPABILITY", _) => {
                out.extend_from_slice(
                    b"* CAPABILITY IMAP4rev1 LITERAL+ UIDPLUS IDLE CONDSTORE\r\n",
                );
            }
            ("LOGOUT", _) => out.extend_from_slice(b"* BYE\r\n"),
            ("NOOP", _) => out.extend_from_slice(b"* 4 EXISTS\r\n"),
            other => panic!("unexpected command {other:?}"),
        }
        let tag = match mistake {
            Mistake::AnswersWithOldTag if words[1] != "LOGIN" => "L1",
            _ => words[0],
        };
        out.extend_from_slice(format!("{tag} {status} see {{3}}\r\n").as_bytes());
        out
    }

    fn select(&self, out: &mut Vec<u8>) {
        let selects = self.selects.fetch_add(1, Ordering::SeqCst);
        let highest = match self.mistake {
            Mistake::ForgetsModSeqs => 1_000 - selects.min(900),
            _ => 1_000 + selects,
        };
        out.extend_from_slice(
            format!(
                "* 3 EXISTS\r\n* FLAGS (\\Flagged)\r\n* OK [UIDVALIDITY 5] v\r\n\
                 * OK [HIGHESTMODSEQ {highest}] h\r\n"
            )
            .as_bytes(),
        );
    }

    /// A survey, or headers.
    fn fetch(&self, set: &str, words: &[&str], out: &mut Vec<u8>) {
        let (first, last) = set.split_once(':').unwrap();
        let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
        let is_headers = words.contains(&"INTERNALDATE");
        let flagged = *self.flagged.lock().unwrap();
        for number in first..=last {
            let index = number - 1;
            if self.mistake == Mistake::LosesAMessage && index == 1 {
                continue;
            }
            let place = match self.mistake {
                Mistake::ListsOutOfOrder => 2 - index,
                _ => index,
            };
            let mut more = format!(" RFC822.SIZE {}", SIZES[place]);
            if is_headers {
                more.push_str(" BODY[HEADER.FIELDS (DATE FROM)] {2}\r\n\r\n");
            } else if words.iter().any(|word| word.contains("X-LOADGEN")) {
                let message = message(place);
                let start = message.find("X-Loadgen").unwrap();
                let end = message.find("\r\n\r\n").unwrap();
                let header = format!("{}\r\n\r\n", &message[start..end]);
                more.push_str(&format!(
                    " BODY[HEADER.FIELDS (X-LOADGEN)] {{{}}}\r\n{header}",
                    header.len()
                ));
            }
            flags(number, place, flagged[place], &more, out);
        }
    }

    fn changes(&self, out: &mut Vec<u8>) {
        let flagged = *self.flagged.lock().unwrap();
        for (index, is_flagged) in flagged.into_iter().enumerate() {
            flags(index + 1, index, is_flagged, " MODSEQ (9000000)", out);
        }
    }

    fn store(&self, index: usize, is_flagged: bool, out: &mut Vec<u8>) {
        let mut flagged = self.flagged.lock().unwrap();
        if self.mistake != Mistake::IgnoresStore {
            flagged[index] = is_flagged;
        }
        if self.mistake != Mistake::TellsNothingOfStore {
            // Somebody else's message comes first, and is nobody's business.
            out.extend_from_slice(b"* 9 FETCH (UID 99 FLAGS ())\r\n");
            flags(index + 1, index, flagged[index], "", out);
        }
        let mut news = Vec::new();
        flags(index + 1, index, flagged[index], "", &mut news);
        if self.mistake != Mistake::TellsNoIdler {
            for idler in self.idlers.lock().unwrap().iter_mut() {
                // One that has gone is told nothing.
                let _ = idler.write_all(&news);
            }
        }
    }

    fn search(&self, word: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(b"* SEARCH");
        for index in 0..SIZES.len() {
            let is_found = match self.mistake {
                Mistake::FindsTooMuch => true,
                Mistake::FindsNothing => false,
                _ => marker(number(index)) == word,
            };
            if is_found {
                out.extend_from_slice(format!(" {}", index + FIRST_UID).as_bytes());
            }
        }
        out.extend_from_slice(b"\r\n");
    }

    fn body(&self, index: usize, out: &mut Vec<u8>) {
        let place = match self.mistake {
            Mistake::SendsOtherBody => (index + 1) % SIZES.len(),
            _ => index,
        };
        let mut text = message(place).into_bytes();
        match self.mistake {
            Mistake::SendsShortBody => {
                text.pop();
            }
            Mistake::FlipsABit => *text.last_mut().unwrap() ^= 4,
            _ => {}
        }
        let announced = match self.mistake {
            // The octets that lack are taken from what follows, down to the end of the answer.
            Mistake::AnnouncesMoreThanItSends => text.len() + 3,
            Mistake::AnnouncesLessThanItSends => text.len() - 1,
            _ => text.len(),
        };
        let uid = index + FIRST_UID + usize::from(self.mistake == Mistake::SendsOtherUid);
        let times = match self.mistake {
            Mistake::SendsNoBody => 0,
            Mistake::SendsBodyTwice => 2,
            _ => 1,
        };
        for _ in 0..times {
            let line = format!(
                "* {} FETCH (UID {uid} BODY[] {{{announced}}}\r\n",
                index + 1
            );
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(&text);
            out.extend_from_slice(b")\r\n");
        }
    }
}

/// Numbers whose markers differ.
fn number(index: usize) -> u64 {
    u64::try_from(index).unwrap() + 8
}

fn message(index: usize) -> String {
    let mut out = Vec::new();
    MailWriter::new().write(number(index), SIZES[index], &mut out);
    String::from_utf8(out).unwrap()
}

fn index(words: &[&str]) -> usize {
    words[3].parse::<usize>().unwrap() - FIRST_UID
}

fn flags(number: usize, index: usize, is_flagged: bool, more: &str, out: &mut Vec<u8>) {
    let flags = if is_flagged { "\\Seen \\Flagged" } else { "" };
    let uid = index + FIRST_UID;
    let line = format!("* {number} FETCH (UID {uid} FLAGS ({flags}){more})\r\n");
    out.extend_from_slice(line.as_bytes());
}
