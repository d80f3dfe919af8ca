//! Accounts through the doors that people and their operator use: a real server on its own data directory.

use std::{fs, path::Path, process::Command, time::Duration};

use kith::{config::Config, server::Server};
use kith_client::{Error, Rest, Socket};
use kith_protocol::{
    ClientFrame, Code, ServerFrame,
    frame::Hello,
    problem::CloseCode,
    rest::{ChangePassword, ChangeProfile, DeleteUser, DeviceInfo, NewSession, NewUser, SignedIn},
};
use tempfile::TempDir;

const PASSWORD: &str = "correct horse";

struct Story {
    data: TempDir,
    server: Option<Server>,
}

impl Story {
    async fn begin() -> Self {
        let data = tempfile::tempdir().unwrap();
        let server = Some(start(data.path()).await);
        Self { data, server }
    }

    fn at(&self) -> kith_client::Server {
        let address = self.server.as_ref().unwrap().address;
        kith_client::Server::new(&format!("http://{address}")).unwrap()
    }

    fn rest(&self) -> Rest {
        Rest::new(self.at())
    }

    async fn restart(&mut self) {
        self.end().await;
        self.server = Some(start(self.data.path()).await);
    }

    async fn end(&mut self) {
        self.server.take().unwrap().stop(Duration::from_secs(5)).await;
    }

    /// Runs the program itself on the story's data directory.
    async fn operator(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kith"));
        command.args(arguments).arg("--data").arg(self.data.path());
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap().trim_end().to_owned();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

async fn start(data: &Path) -> Server {
    let port_0 = "127.0.0.1:0".parse().unwrap();
    let mut config =
        Config { data_dir: data.to_owned(), listen: port_0, operator_listen: port_0, drain_s: 0, ..Config::default() };
    // Whatever room the disk has.
    config.media.min_free_bytes = Some(0);
    Server::start(config).await.unwrap()
}

async fn sign_up(rest: &Rest, name: &str) -> (SignedIn, Rest) {
    let new = NewUser {
        username: name.to_owned(),
        password: PASSWORD.to_owned(),
        display_name: None,
        invite: None,
        device: None,
    };
    let signed_in = rest.sign_up(&new).await.unwrap();
    let rest = rest.with_token(&signed_in.token).unwrap();
    (signed_in, rest)
}

async fn sign_in(rest: &Rest, name: &str, password: &str) -> Result<SignedIn, Error> {
    rest.sign_in(&NewSession {
        username: name.to_owned(),
        password: password.to_owned(),
        device: None,
        device_secret: None,
    })
    .await
}

fn code<T>(result: Result<T, Error>) -> Option<Code> {
    result.err().and_then(|error| error.code())
}

async fn connected(story: &Story, token: &str) -> Socket {
    let mut socket = Socket::connect(&story.at()).await.unwrap();
    socket.hello(token, Vec::new()).await.unwrap();
    assert!(matches!(socket.receive().await.unwrap(), ServerFrame::Ready(_)));
    socket
}

/// The code with which the server closes a socket, whatever it says before.
async fn closed_with(mut socket: Socket) -> Option<u16> {
    loop {
        match socket.receive().await {
            Ok(_) => {}
            Err(Error::Closed(closed)) => return Some(closed.code),
            Err(_) => return None,
        }
    }
}

#[tokio::test]
async fn an_account_survives_a_restart() {
    let mut story = Story::begin().await;
    let (anna, rest) = sign_up(&story.rest(), "anna").await;
    let change = ChangeProfile { about: Some("at sea".to_owned()), ..ChangeProfile::default() };
    rest.change_profile(&change).await.unwrap();
    story.restart().await;
    let rest = story.rest().with_token(&anna.token).unwrap();
    assert_eq!(rest.me().await.unwrap().about.as_deref(), Some("at sea"));
    assert_eq!(sign_in(&story.rest(), "anna", PASSWORD).await.unwrap().user.id, anna.user.id);
    assert_eq!(code(sign_in(&story.rest(), "anna", "wrong horse").await), Some(Code::WrongPassword));
    story.end().await;
}

#[tokio::test]
async fn a_device_names_what_it_can_do_at_sign_in_and_when_that_changes() {
    let mut story = Story::begin().await;
    let (_, rest) = sign_up(&story.rest(), "anna").await;
    let features = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let session = |features| NewSession {
        username: "anna".to_owned(),
        password: PASSWORD.to_owned(),
        device: Some(DeviceInfo { name: "phone".to_owned(), platform: String::new(), features }),
        device_secret: None,
    };
    let phone = story.rest().sign_in(&session(features(&["e2ee", "calls.2"]))).await.unwrap();
    assert_eq!(phone.device.features, ["e2ee", "calls.2"]);
    for wrong in [features(&["Not One"]), features(&[""]), features(&["x"; 33]), vec!["x".repeat(33)]] {
        assert_eq!(code(story.rest().sign_in(&session(wrong.clone())).await), Some(Code::InvalidRequest));
        let hello = Hello { token: Some(phone.token.clone()), features: Some(wrong), ..Hello::default() };
        let mut socket = Socket::connect(&story.at()).await.unwrap();
        socket.send(&ClientFrame::Hello(hello)).await.unwrap();
        assert_eq!(closed_with(socket).await, Some(CloseCode::NotDecodable as u16));
    }
    let has = async |rest: &Rest| {
        let devices = rest.devices().await.unwrap().items;
        devices.into_iter().find(|device| device.id == phone.device.id).unwrap().features
    };
    // A hello that names none leaves them as they are.
    for (named, then) in
        [(None, &["e2ee", "calls.2"][..]), (Some(features(&["e2ee"])), &["e2ee"][..]), (Some(vec![]), &[][..])]
    {
        let hello = Hello { token: Some(phone.token.clone()), features: named, ..Hello::default() };
        let mut socket = Socket::connect(&story.at()).await.unwrap();
        socket.send(&ClientFrame::Hello(hello)).await.unwrap();
        assert!(matches!(socket.receive().await.unwrap(), ServerFrame::Ready(_)));
        assert_eq!(has(&rest).await, then);
        socket.close(1000).await;
    }
    story.restart().await;
    let rest = story.rest().with_token(&phone.token).unwrap();
    assert_eq!(has(&rest).await, features(&[]));
    rest.sign_out().await.unwrap();
    story.end().await;
}

#[tokio::test]
async fn a_token_that_is_no_longer_good_stops_its_socket_at_once() {
    let mut story = Story::begin().await;
    let (anna, rest) = sign_up(&story.rest(), "anna").await;
    let second = sign_in(&story.rest(), "anna", PASSWORD).await.unwrap();
    let third = sign_in(&story.rest(), "anna", PASSWORD).await.unwrap();
    let revoked = connected(&story, &second.token).await;
    rest.revoke(second.device.id).await.unwrap();
    assert_eq!(closed_with(revoked).await, Some(CloseCode::DeviceRevoked as u16));
    let other = connected(&story, &third.token).await;
    let change = ChangePassword { old: PASSWORD.to_owned(), new: "correct mouse".to_owned() };
    rest.change_password(&change).await.unwrap();
    assert_eq!(closed_with(other).await, Some(CloseCode::DeviceRevoked as u16));
    let own = connected(&story, &anna.token).await;
    rest.sign_out().await.unwrap();
    assert_eq!(closed_with(own).await, Some(CloseCode::DeviceRevoked as u16));
    assert_eq!(code(rest.me().await), Some(Code::Unauthenticated));
    story.end().await;
}

#[tokio::test]
async fn what_is_erased_is_on_no_file_any_more() {
    let mut story = Story::begin().await;
    let marker = "unmistakable-marker-of-anna";
    let (_, rest) = sign_up(&story.rest(), "anna").await;
    let (_, bela) = sign_up(&story.rest(), "bela").await;
    let change = ChangeProfile { about: Some(marker.to_owned()), ..ChangeProfile::default() };
    let anna = rest.change_profile(&change).await.unwrap().id;
    let wrong = DeleteUser { password: "wrong horse".to_owned() };
    assert_eq!(code(rest.delete_user(&wrong).await), Some(Code::WrongPassword));
    rest.delete_user(&DeleteUser { password: PASSWORD.to_owned() }).await.unwrap();
    assert_eq!(code(rest.me().await), Some(Code::Unauthenticated));
    let seen = bela.user(anna).await.unwrap();
    assert!(seen.deleted && seen.about.is_none() && seen.username.is_none());
    sign_up(&story.rest(), "anna").await;
    story.end().await;
    let left: Vec<_> = fs::read_dir(story.data.path())
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| {
            path.is_file() && fs::read(path).unwrap().windows(marker.len()).any(|window| window == marker.as_bytes())
        })
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn the_operator_s_commands_work_beside_a_server_and_without_one() {
    let mut story = Story::begin().await;
    let (anna, _) = sign_up(&story.rest(), "anna").await;
    let (status, password, _) = story.operator(&["user", "reset", "anna"]).await;
    assert_eq!(status, 0);
    assert_eq!(code(story.rest().with_token(&anna.token).unwrap().me().await), Some(Code::Unauthenticated));
    sign_in(&story.rest(), "anna", &password).await.unwrap();
    assert_eq!(code(sign_in(&story.rest(), "anna", &password).await), Some(Code::WrongPassword));

    let file = story.data.path().join("users.jsonl");
    let hash = "$argon2id$v=19$m=8192,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let line = |name: &str| format!("{{\"username\":\"{name}\",\"password_hash\":\"{hash}\"}}\n");
    fs::write(&file, line("bela") + "\n" + &line("NO")).unwrap();
    let path = file.to_str().unwrap();
    let (status, _, error) = story.operator(&["users", "import", path]).await;
    assert_eq!((status, error.contains("users.jsonl:3: username must be")), (2, true), "{error}");
    fs::write(&file, line("anna") + &line("bela")).unwrap();
    let (status, text, _) = story.operator(&["users", "import", path]).await;
    assert_eq!((status, text.as_str()), (0, "1 users made\n1 were there already: anna"));
    let (_, list, _) = story.operator(&["user", "list"]).await;
    assert_eq!(list.lines().map(|line| &line[..5]).collect::<Vec<_>>(), ["anna\t", "bela\t"]);

    let copy = story.data.path().join("copy");
    let copy = copy.to_str().unwrap();
    assert_eq!(story.operator(&["backup", copy]).await.0, 0);
    for arguments in [vec!["verify"], vec!["verify", copy]] {
        let (status, text, error) = story.operator(&arguments).await;
        assert_eq!((status, text.ends_with("all is well")), (0, true), "{text} {error}");
    }
    let (status, text, _) = story.operator(&["inspect", "@anna"]).await;
    assert_eq!((status, text.contains("anna"), text.contains("argon2")), (0, true, false), "{text}");
    assert_eq!(story.operator(&["inspect", "nonsense"]).await.0, 2);
    assert_eq!(story.operator(&["inspect", "@nobody"]).await.0, 1);
    let (status, _, error) =
        story.operator(&["serve", "--listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0"]).await;
    assert_eq!((status, error.lines().count()), (1, 1), "{error}");

    story.end().await;
    assert_eq!(story.operator(&["user", "remove", "bela"]).await.0, 0);
    let (status, _, error) = story.operator(&["user", "remove", "bela"]).await;
    assert_eq!((status, error.as_str()), (1, "kith: nobody has this name"));
    let (_, list, _) = story.operator(&["user", "list"]).await;
    assert_eq!(list.lines().count(), 1);
}

#[tokio::test]
async fn who_is_suspended_is_out_until_the_operator_lets_them_in() {
    let mut story = Story::begin().await;
    let (anna, rest) = sign_up(&story.rest(), "anna").await;
    let (_, bela) = sign_up(&story.rest(), "bela").await;
    let socket = connected(&story, &anna.token).await;
    assert_eq!(story.operator(&["user", "suspend", "anna"]).await, (0, String::new(), String::new()));
    assert_eq!(closed_with(socket).await, Some(CloseCode::DeviceRevoked as u16));
    assert_eq!(code(rest.me().await), Some(Code::Unauthenticated));
    assert_eq!(code(sign_in(&story.rest(), "anna", PASSWORD).await), Some(Code::Suspended));
    // Who does not have the password is not told.
    assert_eq!(code(sign_in(&story.rest(), "anna", "wrong horse").await), Some(Code::WrongPassword));
    let seen = bela.user(anna.user.id).await.unwrap();
    assert_eq!((seen.username.as_deref(), seen.deleted), (Some("anna"), false));
    let (_, list, _) = story.operator(&["user", "list"]).await;
    let suspended: Vec<_> = list.lines().map(|line| line.ends_with("suspended")).collect();
    assert_eq!(suspended, [true, false], "{list}");
    story.restart().await;
    assert_eq!(code(sign_in(&story.rest(), "anna", PASSWORD).await), Some(Code::Suspended));
    assert_eq!(story.operator(&["user", "unsuspend", "anna"]).await.0, 0);
    assert_eq!(sign_in(&story.rest(), "anna", PASSWORD).await.unwrap().user.id, anna.user.id);
    // Without a server too.
    story.end().await;
    assert_eq!(story.operator(&["user", "suspend", "bela"]).await.0, 0);
    assert_eq!(story.operator(&["user", "suspend", "nobody"]).await.2, "kith: nobody has this name");
    story.server = Some(start(story.data.path()).await);
    assert_eq!(code(sign_in(&story.rest(), "bela", PASSWORD).await), Some(Code::Suspended));
    assert_eq!(story.operator(&["verify"]).await.0, 0);
    story.end().await;
}

#[tokio::test]
async fn what_cannot_start_says_so_in_one_line_and_touches_nothing() {
    let mut story = Story::begin().await;
    let nowhere = story.data.path().join("nowhere");
    let taken = story.server.as_ref().unwrap().address.to_string();
    let config = story.data.path().join("bad.toml");
    fs::write(&config, "name = 'x'\nport = 8080\n").unwrap();
    let (config, nowhere_text) = (config.to_str().unwrap(), nowhere.to_str().unwrap());
    for (arguments, status, word) in [
        (vec!["serve", "--listen", &taken, "--data", nowhere_text], 1, "cannot listen on"),
        (vec!["serve", "--config", config, "--data", nowhere_text], 2, "bad.toml:2: unknown key `port`"),
        (vec!["serve", "--config", "missing.toml", "--data", nowhere_text], 2, "missing.toml"),
        (vec!["user", "list", "--data", nowhere_text], 1, "does not exist"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kith"));
        let output = command.args(&arguments).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), error.lines().count()), (Some(status), 1), "{error}");
        assert!(error.contains(word), "{error}");
        assert!(!nowhere.exists());
    }
    story.end().await;
}
