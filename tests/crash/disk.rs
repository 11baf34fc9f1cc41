//! A disk that is full for a while: the daemon says so, lives on, and loses nothing.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::press::Press;
use crate::sink::{Mood, Sink};
use crate::watch::{PATIENCE, Watch, until, within};
use crate::{audit, settle, tables, tail};

/// A small file system in memory, unmounted when dropped.
struct Disk(PathBuf);

impl Disk {
    /// None where this may not be done: not root, or a container without the right.
    fn mount(at: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "none"])
            .arg(at)
            .output();
        done.is_ok_and(|done| done.status.success()).then(|| Self(at.to_owned()))
    }

    /// Takes every last byte.
    fn fill(&self) {
        let mut file = File::create(self.0.join("ballast")).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        while file.write_all(&[0; 1]).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_survived_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let Some(disk) = Disk::mount(&state, "24m") else {
        eprintln!("SKIPPED: a tmpfs cannot be mounted here (not root?): the full disk is not tested");
        return;
    };
    let press = Press::new(31, 2);
    let feeds = press.serve().await;
    let sink = Sink::start(|_| Mood::Kind).await;
    let watch = Watch::with_state(dir, state, &tables(&feeds, &sink));
    let mut daemon = watch.start();
    until("mail goes out", PATIENCE, || (sink.count() > 3).then_some(())).await;
    for round in 0..2 {
        disk.fill();
        let asked = press.asked();
        let said = daemon.log().matches("full").count();
        let told = within(PATIENCE, || (daemon.log().matches("full").count() > said).then_some(())).await;
        assert!(told.is_some(), "round {round}: it says nothing of a full disk\n{}", tail(&daemon.log()));
        assert!(daemon.ended().is_none(), "it ended\n{}", tail(&daemon.log()));
        if round == 1 {
            // Killed in the middle of it, and started before there is space: it may refuse, in words.
            daemon.kill();
            let mut next = watch.start();
            let refused = within(Duration::from_secs(3), || next.ended()).await;
            if refused.is_some() {
                assert!(next.log().contains("full"), "{}", tail(&next.log()));
                disk.free();
                next = watch.start();
            } else {
                disk.free();
            }
            daemon = next;
        } else {
            let _ = within(Duration::from_secs(2), || (press.asked() > asked + 4).then_some(())).await;
            disk.free();
        }
        let (titles, begun) = (press.titles(), sink.count());
        until("mail goes out again", PATIENCE * 3, || (sink.count() > begun).then_some(())).await;
        assert!(press.titles().len() >= titles.len());
    }
    press.set_rate(0);
    settle(&watch, &press, &sink, &daemon).await;
    daemon.stop().await;
    let figures = audit(&watch, &press.titles(), &sink.taken());
    eprintln!(
        "full disk: {} items, {} mails taken, 0 lost, {} duplicates of one Message-ID, integrity ok",
        press.titles().len(),
        sink.count(),
        figures.duplicates
    );
    // One kill, and nothing else that could leave a mail in doubt.
    assert!(figures.duplicates <= 1, "{} duplicates", figures.duplicates);
    drop(disk);
}
