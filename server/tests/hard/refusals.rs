//! Starts that cannot be: one clear line, exit code 1 or 2, and nothing touched.

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    people::Person,
    program::{Program, alone},
};

/// Everything in a directory: what each file is and when it was changed.
fn snapshot(dir: &Path) -> BTreeMap<PathBuf, (Vec<u8>, u32, std::time::SystemTime)> {
    let files = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    let look = |path: PathBuf| {
        let about = path.metadata().unwrap();
        (path.clone(), (fs::read(&path).unwrap_or_default(), about.permissions().mode(), about.modified().unwrap()))
    };
    files.map(look).collect()
}

/// The exit code and the line of one that must fail.
fn refused(command: &mut Command) -> (i32, String) {
    let output = command.output().unwrap();
    let line = String::from_utf8(output.stderr).unwrap();
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(line.starts_with("kith: ") && line.trim_end().lines().count() == 1, "not one clear line: {line}");
    (output.status.code().expect("it ended by itself"), line)
}

/// One that has run and was stopped, with somebody in it.
async fn stopped() -> Program {
    let mut program = Program::started("drain_s = 0");
    Person::new(&program, "anna").await;
    assert_eq!(program.end().code(), Some(0));
    program
}

#[tokio::test]
async fn a_second_server_on_the_same_directory() {
    let _alone = alone().await;
    let program = Program::started("drain_s = 0");
    let anna = Person::new(&program, "anna").await;
    let names = || fs::read_dir(program.data()).unwrap().map(|file| file.unwrap().file_name()).collect::<Vec<_>>();
    let before = names();
    let mut second = Command::new(env!("CARGO_BIN_EXE_kith"));
    second.args(["serve", "--listen", "127.77.0.1:0", "--operator-listen", "127.77.0.1:0"]);
    let (code, line) = refused(second.arg("--data").arg(program.data()));
    assert_eq!(code, 1);
    assert!(line.contains("is in use by another process") && line.contains(program.data().to_str().unwrap()), "{line}");
    assert_eq!(before, names());
    // The commands of the first one's operator still reach it.
    assert!(program.done(&["user", "list"]).contains("anna"));
    assert_eq!(anna.rest.me().await.unwrap().username.as_deref(), Some("anna"));
}

#[tokio::test]
async fn a_taken_address() {
    let _alone = alone().await;
    let program = stopped().await;
    let before = snapshot(program.data());
    let taken = TcpListener::bind("127.77.0.1:0").unwrap().local_addr().unwrap();
    let holder = TcpListener::bind(taken).unwrap();
    for [people, operator] in
        [[taken.to_string(), "127.77.0.1:0".to_owned()], ["127.77.0.1:0".to_owned(), taken.to_string()]]
    {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kith"));
        command.args(["serve", "--listen", &people, "--operator-listen", &operator]).arg("--data").arg(program.data());
        let (code, line) = refused(&mut command);
        assert_eq!(code, 1);
        assert!(line.contains(&taken.to_string()), "{line}");
        assert_eq!(before, snapshot(program.data()));
    }
    drop(holder);
}

#[tokio::test]
async fn a_directory_that_is_somebody_else_s() {
    let _alone = alone().await;
    let program = stopped().await;
    let before = snapshot(program.data());
    let mut command = program.serve();
    let is_root = rustix::process::geteuid().is_root();
    let place = tempfile::tempdir().unwrap();
    if is_root {
        // Root may read everything, so that nobody asks, who must be able to come as far as the directory's own door.
        fs::set_permissions(program.home(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let binary = place.path().join("kith");
        fs::copy(env!("CARGO_BIN_EXE_kith"), &binary).unwrap();
        command = Command::new(binary);
        command.args(["serve", "--listen", "127.77.0.1:0", "--operator-listen", "127.77.0.1:0", "--data"]);
        command.arg(program.data()).uid(65_534).gid(65_534);
    } else {
        fs::set_permissions(program.data(), fs::Permissions::from_mode(0o000)).unwrap();
    }
    let (code, line) = refused(&mut command);
    if !is_root {
        fs::set_permissions(program.data(), fs::Permissions::from_mode(0o700)).unwrap();
    }
    assert_eq!(code, 1);
    assert!(line.contains("permission denied") && line.contains(program.data().to_str().unwrap()), "{line}");
    assert_eq!(before, snapshot(program.data()));
}

#[tokio::test]
async fn a_configuration_with_a_key_that_there_is_not() {
    let _alone = alone().await;
    let program = Program::new("name = 'here'\n[limits]\nsends = 3\n");
    let (code, line) = refused(&mut program.serve());
    assert_eq!(code, 2);
    assert!(line.contains("kith.toml:3: unknown key `sends`"), "{line}");
    assert!(!program.data().exists());
}

#[tokio::test]
async fn data_of_a_newer_version() {
    let _alone = alone().await;
    let mut program = stopped().await;
    let database = rusqlite::Connection::open(program.data().join("store.db")).unwrap();
    let version: i32 = database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    database.pragma_update(None, "user_version", version + 1).unwrap();
    database.close().unwrap();
    let before = snapshot(program.data());
    let data = program.data().to_str().unwrap().to_owned();
    let verify = |program: &Program| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kith"));
        command.args(["verify", program.data().to_str().unwrap()]);
        command
    };
    for mut command in [program.serve(), verify(&program)] {
        let (code, line) = refused(&mut command);
        assert_eq!(code, 1);
        assert!(line.contains("newer version") && line.contains(&data), "{line}");
        assert_eq!(before, snapshot(program.data()));
    }
    // It was left as it was: with its own version it is served again.
    let database = rusqlite::Connection::open(program.data().join("store.db")).unwrap();
    database.pragma_update(None, "user_version", version).unwrap();
    database.close().unwrap();
    program.start();
    assert!(program.done(&["user", "list"]).contains("anna"));
}
