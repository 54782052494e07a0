//! kill -9 of the real service at random moments of nights that are being copied in: in the end
//! everything is as if nothing had happened.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::mailbox::{Mailbox, header};
use crate::observatory::{Observatory, raw_files};
use crate::simulated::{NightOnDisk, small};

/// Kills per night; the full count of the bar is ten nights.
const KILLS_PER_NIGHT: usize = 20;

/// Random numbers, the same for the same seed (Marsaglia's xorshift64, 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

fn lines(night: &NightOnDisk, mailbox: &Mailbox) -> String {
    format!(
        "settle_s = 0.2\nrescan_s = 1.0\ndisk_free_min_mib = 0\n[reference]\nfiles = [{:?}]\n{}",
        night.files.reference,
        mailbox.lines()
    )
}

/// The names of the nights of a test, in order of time.
fn names(n_nights: usize) -> Vec<String> {
    (0..n_nights).map(|i| format!("2025-02-{:02}", i + 1)).collect()
}

/// Writes a file as a slow camera would: in two pieces under its final name.
fn write_slowly(from: &Path, folder: &Path, pause: Duration) {
    let bytes = std::fs::read(from).expect("a frame");
    let mut file =
        std::fs::File::create(folder.join(from.file_name().expect("a file"))).expect("a new file");
    let (first, second) = bytes.split_at(bytes.len() / 2);
    file.write_all(first).expect("half a frame");
    file.flush().expect("on its way");
    std::thread::sleep(pause);
    file.write_all(second).expect("a frame");
}

/// The body of each mail by Message-ID; the bytes of one must always be the same.
fn mails(mailbox: &Mailbox) -> BTreeMap<String, String> {
    let mut mails = BTreeMap::new();
    for message in mailbox.messages() {
        let id = header(&message, "Message-ID").to_owned();
        assert!(!id.is_empty(), "{message}");
        let before = mails.insert(id, message.clone());
        assert!(before.is_none_or(|before| before == message), "one Message-ID, two texts");
    }
    mails
}

/// Subject and text of a mail, without what depends on the time.
fn timeless(message: &str) -> String {
    message.lines().filter(|line| !line.starts_with("Date: ")).collect::<Vec<_>>().join("\n")
}

/// The nights processed without any disturbance.
fn undisturbed(night: &NightOnDisk, mailbox: &Mailbox, n_nights: usize) -> Observatory {
    let calm = Observatory::new(&lines(night, mailbox));
    let service = calm.start();
    for name in names(n_nights) {
        calm.receive(night, &name);
        calm.mark_done(&name);
        let is_done = calm.wait_until(60, || calm.report(&name).is_some());
        assert!(is_done, "{name} undisturbed:\n{}", calm.told());
    }
    assert!(calm.wait_until(20, || mails(mailbox).len() == n_nights), "{}", calm.told());
    service.stop();
    calm
}

/// Copies a night in while the service is killed again and again, and lets it end.
fn shake(shaken: &Observatory, files: &[PathBuf], name: &str, random: &mut Random) {
    let folder = shaken.path("incoming").join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    // The copying takes about as long as all the kills of the night.
    let pause = Duration::from_millis(370 * KILLS_PER_NIGHT as u64 / files.len() as u64 / 3);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for (i, file) in files.iter().enumerate() {
                if i % 2 == 0 {
                    shaken.receive_file(file, name);
                } else {
                    write_slowly(file, &folder, pause);
                }
                std::thread::sleep(2 * pause);
            }
            shaken.mark_done(name);
        });
        for _ in 0..KILLS_PER_NIGHT {
            let service = shaken.start();
            std::thread::sleep(Duration::from_millis(20 + random.below(700)));
            service.kill();
            // A third death over one frame would set it aside, as it should: on a busy machine,
            // where frames take long, that happens.
            if shaken.deaths() >= 2 {
                break;
            }
        }
    });
    let service = shaken.start();
    let is_done = shaken.wait_until(60, || shaken.report(name).is_some());
    assert!(is_done, "{name} after the kills:\n{}", shaken.told());
    service.kill();
}

#[test]
fn killed_at_random_moments_the_end_is_the_same() {
    let n_nights = if std::env::var_os("AUTOSSOS_SLOW").is_some() { 10 } else { 2 };
    let seed = std::env::var("AUTOSSOS_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(20251121);
    println!("seed {seed}");
    let mut random = Random(seed);
    let night = NightOnDisk::new(&small(31));
    let calm_mail = Mailbox::open();
    let calm = undisturbed(&night, &calm_mail, n_nights);

    let mailbox = Mailbox::open();
    let shaken = Observatory::new(&lines(&night, &mailbox));
    for name in names(n_nights) {
        shake(&shaken, &raw_files(&night), &name, &mut random);
    }
    let service = shaken.start();
    assert!(shaken.wait_until(90, || mails(&mailbox).len() == n_nights), "{}", shaken.told());
    std::thread::sleep(Duration::from_secs(1));
    let (status, _) = service.stop();
    assert_eq!(status.code(), Some(0), "{}", shaken.told());

    let (expected, found) = (calm.dump(), shaken.dump());
    let lacking = |of: &[String], others: &[String]| -> Vec<String> {
        of.iter().filter(|line| !others.contains(line)).cloned().collect()
    };
    let (lost, new) = (lacking(&expected, &found), lacking(&found, &expected));
    let is_same = lost.is_empty() && new.is_empty() && expected.len() == found.len();
    assert!(is_same, "seed {seed}: lost {lost:#?}\nnew {new:#?}\n{}", shaken.told());
    let (expected, found) = (calm.products(), shaken.products());
    let paths = |products: &BTreeMap<_, _>| products.keys().cloned().collect::<Vec<_>>();
    assert_eq!(paths(&expected), paths(&found), "seed {seed}");
    for (path, bytes) in &expected {
        assert!(found.get(path) == Some(bytes), "seed {seed}: {} differs", path.display());
    }
    let texts = |mailbox| mails(mailbox).values().map(|m| timeless(m)).collect::<Vec<_>>();
    assert_eq!(texts(&calm_mail), texts(&mailbox), "seed {seed}");
    let n_repeated = mailbox.messages().len() - n_nights;
    println!("{} kills, {n_repeated} mails repeated", n_nights * KILLS_PER_NIGHT);
}
