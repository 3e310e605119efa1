//! What the spool promises, in one process. That kills lose nothing is shown by `tests/it/hits.rs`.

use super::*;
use crate::domain::delivery::DeliveryId;
use crate::domain::engagement::{EngagementKind, HitSubject, RequestFacts};
use crate::domain::time::Timestamp;

fn hit(number: i64) -> Hit {
    Hit {
        kind: EngagementKind::Opened,
        subject: HitSubject::Delivery(DeliveryId(number)),
        link: 0,
        at: Timestamp::from_seconds(number),
        request: RequestFacts::default(),
    }
}

fn append(spool: &Spool, number: i64) -> Result<(), SpoolError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(spool.append(&hit(number)))
}

fn spool(folder: &Path, chance: u8) -> Spool {
    Spool::open(folder, [chance; 32]).expect("a folder")
}

/// The deliveries of all hits that can be taken, and which files held them.
fn taken(spool: &Spool) -> (Vec<i64>, usize) {
    let files = spool.take().expect("files");
    let count = files.len();
    let mut found = Vec::new();
    for file in files {
        let (mut from, mut damaged) = (0, 0);
        loop {
            let batch = file.read(from, 3).expect("it is read");
            found.extend(batch.hits.iter().map(|spooled| match spooled.hit.subject {
                HitSubject::Delivery(DeliveryId(number)) => number,
                HitSubject::Run(_) => -1,
            }));
            (from, damaged) = (batch.until, damaged + batch.damaged);
            if batch.is_last {
                break;
            }
        }
        file.finish(damaged).expect("it is removed");
    }
    found.sort_unstable();
    (found, count)
}

fn record_length(hit: &Hit) -> usize {
    let mut bytes = Vec::new();
    record::encode(hit, &mut bytes);
    bytes.len()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    entries.map(|name| name.to_string_lossy().into_owned()).collect()
}

#[test]
fn hits_are_given_once_and_files_go_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let spool = spool(folder.path(), 1);
    assert_eq!(taken(&spool), (vec![], 0));
    for number in 0..10 {
        append(&spool, number).expect("there is room");
    }
    assert_eq!(taken(&spool), ((0..10).collect(), 1));
    append(&spool, 10).expect("there is room");
    assert_eq!(taken(&spool), (vec![10], 1));
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[test]
fn files_of_others_are_taken_when_they_are_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, theirs) = (spool(folder.path(), 1), spool(folder.path(), 2));
    append(&ours, 1).expect("there is room");
    append(&theirs, 2).expect("there is room");
    assert_eq!(taken(&ours), (vec![1], 1), "theirs is locked");
    drop(theirs);
    assert_eq!(taken(&ours), (vec![2], 1));
}

#[test]
fn a_torn_end_costs_the_last_hit_and_damage_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = || {
        let spool = spool(folder.path(), 1);
        (0..4).for_each(|number| append(&spool, number).expect("there is room"));
        let name = names(folder.path()).pop().expect("a file");
        let path = folder.path().join(name);
        (fs::read(&path).expect("it is read"), path)
    };
    let record = record_length(&hit(0));
    let later = spool(folder.path(), 9);
    for cut in 1..=record {
        let (bytes, path) = write();
        fs::write(&path, &bytes[..bytes.len() - cut]).expect("it is cut");
        assert_eq!(taken(&later), (vec![0, 1, 2], 1), "{cut} bytes are missing");
    }
    let (mut bytes, path) = write();
    let second = record::FIRST as usize + record;
    bytes[second + record - 1] ^= 1;
    fs::write(&path, &bytes).expect("it is damaged");
    assert_eq!(taken(&later), (vec![0, 2, 3], 1));
    assert!(names(folder.path())[0].ends_with(".damaged"), "it is kept");
    assert_eq!(taken(&later), (vec![], 0), "and not read again");
    fs::remove_file(path.with_extension("damaged")).expect("it is removed");

    let (mut bytes, path) = write();
    bytes[second..second + 4].fill(0xff);
    fs::write(&path, &bytes).expect("it is damaged");
    assert_eq!(taken(&later), (vec![0], 1), "nothing can be found behind a length that is wrong");
}

#[test]
fn a_full_disk_is_an_error_and_hits_go_on_when_there_is_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let spool = spool(folder.path(), 1);
    append(&spool, 1).expect("there is room");
    // A file that can only be read refuses bytes as a full disk does.
    let path = folder.path().join(&names(folder.path())[0]);
    spool.writer().active.as_mut().expect("a file").file = File::open(&path).expect("it opens");
    let error = append(&spool, 2).expect_err("it cannot be written");
    let message = error.to_string().replace(&folder.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!(message, @"cannot append to the spool in FOLDER: this request is not recorded");
    assert!(append(&spool, 3).is_ok(), "another file is begun");
    assert_eq!(taken(&spool).0, [1, 3]);

    fs::remove_dir(folder.path()).expect("the folder is empty");
    assert!(append(&spool, 4).is_ok(), "the folder is made anew");
    assert_eq!(taken(&spool).0, [4]);
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let error = Spool::open(&file.path().join("spool"), [0; 32]).expect_err("it is below a file");
    assert!(error.to_string().contains("`spool` in campaignd.yaml"), "{error}");
}

#[test]
fn hits_that_arrive_together_are_there_whoever_goes_away() {
    const HITS: i64 = 2_000;
    let folder = tempfile::tempdir().expect("a folder");
    let spool = spool(folder.path(), 1);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let answered: Vec<i64> = runtime.block_on(async {
        let tasks: Vec<_> = (0..HITS)
            .map(|number| {
                let spool = spool.clone();
                tokio::spawn(async move { spool.append(&hit(number)).await.map(|()| number) })
            })
            .collect();
        // Every third reader hangs up, the first of a group among them.
        tasks.iter().step_by(3).for_each(tokio::task::JoinHandle::abort);
        let mut answered = Vec::new();
        for task in tasks {
            match task.await {
                Ok(number) => answered.push(number.expect("there is room")),
                Err(error) => assert!(error.is_cancelled(), "{error}"),
            }
        }
        answered
    });
    let (found, _) = taken(&spool);
    let lost: Vec<_> = answered.iter().filter(|number| found.binary_search(number).is_err()).collect();
    assert_eq!(lost, Vec::<&i64>::new());
    assert!(answered.len() >= HITS as usize * 2 / 3);
    assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "each is there once");
}
