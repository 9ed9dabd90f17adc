mod compaction;
mod damage;
mod harness;
mod memory;
mod requests;
