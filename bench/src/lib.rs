//! Figures: the benches measure one part at a time, the binaries and the scripts beside them whole
//! servers. README.md says what there is.

#![forbid(unsafe_code)]

pub mod mail;
