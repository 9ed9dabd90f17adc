mod compaction;
mod harness;
mod requests;
