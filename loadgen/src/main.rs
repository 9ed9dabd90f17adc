//! Load generator for IMAP servers: many closed-loop connections from one thread.

fn main() {}
