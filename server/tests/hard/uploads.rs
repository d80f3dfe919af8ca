//! `kill -9` in the middle of uploads: what was told to be there is there, and what was sent arrives as it was.

use std::{fs, time::Duration};

use kith_client::Error;
use kith_protocol::{Code, UploadId};
use tokio::time::sleep;

use super::{
    chance::Chance,
    people::Person,
    program::{LIFTED, Program, alone, say, until},
};

/// Bytes of the file.
const FILE_BYTES: usize = 24 * 1024 * 1024;
/// Times that the plug is pulled.
const KILLS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_goes_on_where_the_plug_was_pulled() {
    let _alone = alone().await;
    let mut chance = Chance::new("uploads");
    let mut program = Program::started(LIFTED);
    let anna = Person::new(&program, "anna").await;
    let whole: Vec<u8> = (0..FILE_BYTES / 8).flat_map(|_| chance.within(0, u64::MAX).to_le_bytes()).collect();
    let id = anna.rest.create_upload(whole.len() as u64, None).await.unwrap();
    let (mut told, mut resumed) = (0, Vec::new());
    for kill in 0..=KILLS {
        let sending = tokio::spawn(send(anna.clone(), id, told, whole.clone(), chance.split()));
        if kill < KILLS {
            sleep(Duration::from_millis(chance.within(5, 120))).await;
            program.kill();
        }
        // What was acknowledged before the plug was pulled.
        told = told.max(sending.await.unwrap());
        if kill < KILLS {
            program.start();
            let there = anna.rest.resume_upload(id).await.unwrap();
            assert!(there >= told, "{told} bytes were acknowledged, and {there} are there");
            resumed.push(there);
            told = there;
        }
    }
    say(&format!("resumed at {resumed:?} of {FILE_BYTES}"));
    let media = anna.rest.upload(id).await.unwrap().media.expect("it has ended");
    assert!(anna.rest.media(media.id).await.unwrap() == whole, "the bytes are not those that were sent");
    let parts = || fs::read_dir(program.data().join("uploads")).unwrap().count();
    until("nothing is left of it but the media", async || parts() == 0).await;
    assert_eq!(program.end().code(), Some(0));
    program.verify(program.data());
}

/// Sends what is missing in pieces of any size, until it is all there or the server is not; up to where it was
/// acknowledged.
async fn send(anna: Person, id: UploadId, from: u64, whole: Vec<u8>, mut chance: Chance) -> u64 {
    let mut told = from;
    while told < whole.len() as u64 {
        let piece = chance.within(1, 600_000).min(whole.len() as u64 - told);
        let bytes = whole[told as usize..(told + piece) as usize].to_vec();
        match anna.rest.append_upload(id, told, bytes).await {
            Ok(offset) => {
                told = offset;
                // A client is slower than this disk.
                sleep(Duration::from_millis(5)).await;
            }
            Err(Error::Transport(_) | Error::Protocol(_)) => return told,
            Err(error) => {
                assert_eq!(error.code(), Some(Code::Unavailable), "{error}");
                return told;
            }
        }
    }
    told
}
