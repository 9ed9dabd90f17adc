//! Readable dialogues with a server: parsed by `script`, compared by `token` and `pattern`,
//! run by `play`.
//!
//! The format is explained in `transcripts/README.md`.
#![allow(dead_code, reason = "the crowd uses the tokens alone")]

pub mod admin;
pub mod pattern;
pub mod play;
pub mod rows;
pub mod script;
pub mod template;
pub mod token;
