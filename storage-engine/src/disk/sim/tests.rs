use futures_lite::future::block_on;

use super::*;

fn block(fill: u8) -> Vec<u8> {
    vec![fill; BLOCK_BYTES]
}

#[test]
fn synced_writes_survive_and_unsynced_ones_tear() {
    let mut torn = 0;
    for seed in 0..64 {
        let disk = SimDisk::new(seed);
        block_on(async {
            let file = disk.create("a", 8192).await.unwrap();
            disk.sync_directory().await.unwrap();
            file.write_at(block(1), 0).await.unwrap();
            file.sync().await.unwrap();
            file.write_at(block(2), 4096).await.unwrap();
        });
        let disk = disk.restart();
        let content = disk.content("a").unwrap();
        assert!(content[..4096].iter().all(|byte| *byte == 1), "seed {seed}");
        let second = &content[4096..];
        torn += u32::from(second.contains(&0) && second.contains(&2));
    }
    assert!(torn > 32, "{torn}");
}

#[test]
fn names_need_a_directory_sync() {
    let survived = |synced: bool| {
        (0..64)
            .filter(|seed| {
                let disk = SimDisk::new(*seed);
                block_on(async {
                    disk.create("a", 4096).await.unwrap();
                    if synced {
                        disk.sync_directory().await.unwrap();
                    }
                });
                disk.restart().content("a").is_some()
            })
            .count()
    };
    assert_eq!(survived(true), 64);
    assert!((8..56).contains(&survived(false)));
}

#[test]
fn power_goes_at_the_chosen_step_and_old_handles_are_dead() {
    let disk = SimDisk::new(7);
    disk.set_faults(Faults {
        crash_after: Some(3),
        ..Faults::default()
    });
    let seen = block_on(async {
        let file = disk.create("a", 4096).await.unwrap();
        disk.sync_directory().await.unwrap();
        file.sync().await
    });
    assert_eq!(seen, Err(DiskError::Off));
    let again = disk.restart();
    assert_eq!(block_on(disk.list()), Err(DiskError::Off));
    assert_eq!(block_on(again.list()).unwrap(), ["a"]);
}

#[test]
fn failed_sync_loses_what_it_did_not_write() {
    let disk = SimDisk::new(7);
    disk.set_faults(Faults {
        fail_sync_after: Some(1),
        ..Faults::default()
    });
    block_on(async {
        let file = disk.create("a", 4096).await.unwrap();
        file.write_at(block(1), 0).await.unwrap();
        assert!(file.sync().await.is_err());
        file.sync().await.unwrap();
        assert!(
            file.read_at(0, 4096)
                .await
                .unwrap()
                .iter()
                .all(|byte| *byte == 0)
        );
    });
}

#[test]
fn full_disk_says_so() {
    let disk = SimDisk::new(7);
    disk.set_faults(Faults {
        size_max: Some(8192),
        ..Faults::default()
    });
    block_on(async {
        disk.create("a", 8192).await.unwrap();
        assert_eq!(disk.create("b", 4096).await.err(), Some(DiskError::Full));
        disk.remove("a").await.unwrap();
        disk.create("b", 4096).await.unwrap();
    });
}
