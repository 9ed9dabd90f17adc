//! The octets after DATA: dots unstuffed (RFC 5321 4.5.2), the end found. Pure.
//!
//! Only CRLF begins a line here, and only a dot alone between two CRLF ends the message. Bare LF
//! and bare CR are content like any other octet: if they counted as line ends here but not at the
//! sender, somebody could smuggle a second message behind a forged end.

/// Takes the message out of the stream. Begins behind the CRLF of DATA.
#[derive(Debug, Default)]
pub struct Unstuffer {
    at: At,
}

/// What was read last; octets that are held back are named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum At {
    /// Behind CRLF, or at the beginning.
    #[default]
    LineStart,
    /// Behind the first dot of a line, which is not content.
    Dot,
    /// Behind a first dot and CR; the CR is held back.
    DotCr,
    /// Inside a line.
    Line,
    /// Inside a line, behind a CR.
    LineCr,
}

/// How far the message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Octets of the input that are done with; all of them unless the message has ended.
    pub used: usize,
    /// The end was among them; what follows is the next command.
    pub ended: bool,
}

impl Unstuffer {
    /// Takes the next octets of the stream; hands the content on in runs. Not to be called again
    /// once the message has ended.
    pub fn advance(&mut self, input: &[u8], content: &mut impl FnMut(&[u8])) -> Progress {
        let mut rest = input;
        while let Some((&first, behind)) = rest.split_first() {
            match (self.at, first) {
                (At::LineStart, b'.') => {
                    self.at = At::Dot;
                    rest = behind;
                }
                (At::Dot, b'\r') => {
                    self.at = At::DotCr;
                    rest = behind;
                }
                (At::DotCr, b'\n') => {
                    let used = input.len().saturating_sub(behind.len());
                    return Progress { used, ended: true };
                }
                (At::DotCr, _) => {
                    content(b"\r");
                    self.at = At::LineCr;
                }
                (At::LineStart | At::Dot, _) => self.at = At::Line,
                (At::Line | At::LineCr, _) => {
                    let run_bytes = self.run(rest);
                    let (run, behind) = rest.split_at(run_bytes);
                    content(run);
                    rest = behind;
                }
            }
        }
        Progress {
            used: input.len(),
            ended: false,
        }
    }

    /// How much of `rest`, which is not empty, belongs to lines that begin with no dot.
    fn run(&mut self, rest: &[u8]) -> usize {
        let mut before = if self.at == At::LineCr { b'\r' } else { b' ' };
        let mut scanned = 0;
        while let Some(unscanned) = rest.get(scanned..)
            && let Some(line_feed) = memchr::memchr(b'\n', unscanned)
        {
            if let Some(&last) = unscanned.get(..line_feed).and_then(<[u8]>::last) {
                before = last;
            }
            scanned += line_feed + 1;
            if before == b'\r' && matches!(rest.get(scanned), None | Some(b'.')) {
                self.at = At::LineStart;
                return scanned;
            }
            before = b'\n';
        }
        self.at = if rest.ends_with(b"\r") {
            At::LineCr
        } else {
            At::Line
        };
        rest.len()
    }
}

#[cfg(test)]
mod tests;
