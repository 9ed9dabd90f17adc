mod compaction;
mod damage;
mod harness;
mod requests;
