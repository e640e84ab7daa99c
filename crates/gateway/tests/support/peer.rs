//! Peers that we did not write: a private Python environment, made on demand.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(60);

/// A running peer.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Peer {
    /// Starts `script` of `tests/peers` on a free port.
    pub(crate) async fn start(script: &str) -> Self {
        let python = python();
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address");
        drop(free);
        Self::start_at(&python, script, address).await
    }

    /// Starts `script` where a peer was before.
    pub(crate) async fn again(script: &str, address: SocketAddr) -> Self {
        Self::start_at(&python(), script, address).await
    }

    async fn start_at(python: &Path, script: &str, address: SocketAddr) -> Self {
        let mut child = Command::new(python)
            .arg(here("tests/peers").join(script))
            .arg(address.port().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("python runs");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut peer = Self { address, input, output, _child: child };
        assert_eq!(peer.line().await, "ready", "{script}");
        peer
    }

    /// Says one line to the peer and returns its answer.
    pub(crate) async fn say(&mut self, line: &str) -> String {
        self.tell(line).await;
        self.line().await
    }

    /// Says one line to the peer; its answer is read with [`Self::line`].
    pub(crate) async fn tell(&mut self, line: &str) {
        self.input.write_all(format!("{line}\n").as_bytes()).await.expect("the peer reads");
    }

    /// The next line of the peer.
    pub(crate) async fn line(&mut self) -> String {
        let line = timeout(PATIENCE, self.output.next_line()).await.expect("the peer answers");
        line.expect("text").expect("the peer runs")
    }
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The interpreter of a private environment that holds the peers, made if it is not there.
///
/// A machine that cannot get them fails the test: a protocol that was not spoken to a stranger has
/// not been tested.
fn python() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    // Tests run in several processes; one makes the environment, the others wait.
    let lock = File::create(folder.join("lock")).expect("the target folder can be written");
    lock.lock().expect("a file can be locked");
    let python = folder.join("bin/python");
    let wanted = std::fs::read_to_string(here("tests/peers/requirements.txt")).expect("the list");
    let have = std::fs::read_to_string(folder.join("installed.txt")).unwrap_or_default();
    if have != wanted {
        run(std::process::Command::new("python3").args(["-m", "venv"]).arg(&folder), &wanted);
        let mut pip = std::process::Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
        run(pip.arg(here("tests/peers/requirements.txt")), &wanted);
        std::fs::write(folder.join("installed.txt"), wanted).expect("it can be written");
    }
    python
}

fn run(command: &mut std::process::Command, wanted: &str) {
    let status = command.status();
    let missing = "these tests need python3 with venv, and from PyPI:";
    assert!(
        status.as_ref().is_ok_and(std::process::ExitStatus::success),
        "{missing}\n{wanted}\n{command:?}: {status:?}"
    );
}
