//! The program itself: a `kith` process on a data directory of its own, and its commands beside it.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

use kith_client::{Method, Rest, Server};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

/// No limit of rates that a test could reach by being busy, and none of room that its machine's disk could lack.
pub const LIFTED: &str = "drain_s = 1
[media]
min_free_bytes = 0
[limits]
sends_per_s = 1000000
sends_burst = 1000000
requests_per_s = 1000000
requests_burst = 1000000
signins_per_min = 1000000
conversations = 1000000
begins_per_day = 1000000
new_account_hours = 0
stranger_directs_per_day = 1000000
stranger_groups_per_day = 1000000
";

/// Prints a line whether the test passes or not.
pub fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Held by each test, so that none is measured by what another does.
pub async fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::const_new(());
    ONE.lock().await
}

/// A server that can be started, killed and started again where it was.
pub struct Program {
    /// The configuration, the log, and the data unless they are elsewhere.
    home: TempDir,
    data: PathBuf,
    addresses: Option<[SocketAddr; 2]>,
    child: Option<Child>,
    /// The program that runs the server, and its first arguments.
    confined: Vec<String>,
}

impl Program {
    /// One that is not started yet.
    pub fn new(config: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        Self::on(home, data, config)
    }

    /// One whose data are in `data`.
    pub fn on(home: TempDir, data: PathBuf, config: &str) -> Self {
        fs::write(home.path().join("kith.toml"), config).unwrap();
        Self { home, data, addresses: None, child: None, confined: Vec::new() }
    }

    /// One that runs.
    pub fn started(config: &str) -> Self {
        let mut program = Self::new(config);
        program.start();
        program
    }

    /// Has the server run by a command that ends in becoming it.
    pub fn confine(&mut self, command: Vec<String>) {
        self.confined = command;
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// A folder for what the test makes itself.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The command that serves. Its addresses are none that a client's own end of a connection could have taken
    /// while no server listened there.
    pub fn serve(&self) -> Command {
        let any = "127.77.0.1:0".parse().unwrap();
        let [people, operator] = self.addresses.unwrap_or([any, any]);
        let mut words = self.confined.iter().map(String::as_str).chain([env!("CARGO_BIN_EXE_kith")]);
        let mut command = Command::new(words.next().expect("the program"));
        command
            .args(words)
            .arg("serve")
            .arg("--config")
            .arg(self.home.path().join("kith.toml"))
            .arg("--data")
            .arg(&self.data);
        command.args(["--listen", &people.to_string(), "--operator-listen", &operator.to_string()]);
        command
    }

    /// Starts it, on the addresses that it had before, and waits until it listens.
    pub fn start(&mut self) {
        assert!(self.child.is_none(), "it runs");
        let log = File::options().create(true).append(true).open(self.log_file()).unwrap();
        let mut child = self.serve().stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        // kith listens on http://ADDRESS (operator: http://ADDRESS), data in DIR
        let mut addresses = line.split("http://").skip(1).map(|rest| {
            let end = rest.find([' ', ')']).unwrap_or(rest.len());
            rest[..end].parse::<SocketAddr>().unwrap()
        });
        let (Some(people), Some(operator)) = (addresses.next(), addresses.next()) else {
            let _ = child.kill();
            panic!("it did not start: {line}{}", self.log())
        };
        self.addresses = Some([people, operator]);
        self.child = Some(child);
    }

    /// Pulls the plug.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Tells it to end.
    pub fn tell_to_end(&self) {
        kill_process(Pid::from_raw(self.pid() as i32).unwrap(), Signal::TERM).unwrap();
    }

    /// Tells it to end and waits until it has.
    pub fn end(&mut self) -> ExitStatus {
        self.tell_to_end();
        self.ended()
    }

    /// Waits until it has ended.
    pub fn ended(&mut self) -> ExitStatus {
        self.child.take().expect("it runs").wait().unwrap()
    }

    /// Returns true while it runs.
    pub fn lives(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// The address to which people connect.
    pub fn address(&self) -> SocketAddr {
        self.addresses.expect("it was started")[0]
    }

    /// The address to which its operator does.
    pub fn operator_address(&self) -> SocketAddr {
        self.addresses.expect("it was started")[1]
    }

    /// The same for the client.
    pub fn server(&self) -> Server {
        Server::new(&format!("http://{}", self.address())).unwrap()
    }

    /// REST of nobody yet.
    pub fn rest(&self) -> Rest {
        Rest::new(self.server())
    }

    /// The answer of the operator's address: the status and the text.
    pub async fn probe(&self, path: &str) -> (u16, String) {
        let rest = Rest::new(Server::new(&format!("http://{}", self.operator_address())).unwrap());
        let answer = rest.request(Method::GET, path, &[], "").await.unwrap();
        (answer.status.as_u16(), String::from_utf8(answer.body.to_vec()).unwrap())
    }

    /// The value of a metric without labels; nothing where it is not told.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        let (_, text) = self.probe("/metrics").await;
        let mut values = text.lines().filter_map(|line| line.split_once(' '));
        values.find(|(key, _)| *key == name).map(|(_, value)| value.parse().unwrap())
    }

    /// The text that it wrote to standard error since it was first started.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.home.path().join("log")
    }

    /// Runs one of its commands on its data directory.
    pub fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kith"));
        command.args(arguments).arg("--data").arg(&self.data).output().unwrap()
    }

    /// The same where it must succeed: what it printed.
    pub fn done(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments);
        let [out, error] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert!(output.status.success(), "kith {arguments:?}: {} {out}{error}", output.status);
        out
    }

    /// Checks a data directory, which must be clean.
    pub fn verify(&self, dir: &Path) {
        let report = self.done(&["verify", dir.to_str().unwrap()]);
        assert!(report.contains("all is well"), "{report}");
    }

    /// Bytes of its memory that are resident.
    pub fn rss_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Bytes of its memory that were resident at most.
    pub fn peak_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Files that it has open, sockets too.
    pub fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let log = self.log();
            let from = log.char_indices().rev().nth(4000).map_or(0, |(index, _)| index);
            println!("the end of its log:\n{}", &log[from..]);
        }
    }
}

/// Waits until `done` says so; for as long as a busy machine could need.
pub async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !done().await {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
