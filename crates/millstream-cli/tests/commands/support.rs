//! The command as a process, and the local service that it calls.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use millstream_kinesis::{AwsSettings, CredentialsSource};
use serde_json::Value;

/// `millstream` with these arguments and the local service's keys.
pub(super) fn millstream(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_millstream"));
    command.args(arguments).env("AWS_ACCESS_KEY_ID", "local").env("AWS_SECRET_ACCESS_KEY", "local");
    command.env("AWS_REGION", "us-east-1").env_remove("RUST_LOG").env_remove("AWS_ENDPOINT_URL");
    command
}

/// The local service, as a process that is killed at the end.
pub(super) struct Local {
    process: Child,
    /// Its URL.
    pub(super) endpoint: String,
}

impl Local {
    /// A service with one stream: `words:1`, `orders:4`.
    pub(super) fn with(stream: &str) -> Self {
        Self::slow(stream, "0s")
    }

    /// The same; streams take this long to be created and changed.
    pub(super) fn slow(stream: &str, delay: &str) -> Self {
        Self::start(&["--stream", stream, "--state-delay", delay])
    }

    /// A service without streams that takes the keys of this file alone.
    pub(super) fn taking_keys_of(file: &str) -> Self {
        Self::start(&["--credentials", file])
    }

    fn start(options: &[&str]) -> Self {
        let mut command = millstream(&["local", "--memory", "--port", "0"]);
        command.args(options);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let endpoint = ready.split_whitespace().find(|word| word.starts_with("http://")).expect("an endpoint");
        Self { process, endpoint: endpoint.to_owned() }
    }

    /// `millstream` at this service.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = millstream(arguments);
        command.args(["--endpoint-url", &self.endpoint]);
        command
    }

    /// The settings of clients of this service.
    pub(super) fn settings(&self) -> AwsSettings {
        let (access_key, secret_key) = ("local".to_owned(), "local".to_owned());
        AwsSettings {
            region: "us-east-1".to_owned(),
            kinesis_endpoint: Some(self.endpoint.clone()),
            dynamodb_endpoint: None,
            cloudwatch_endpoint: None,
            credentials: CredentialsSource::Static { access_key, secret_key, session_token: None },
        }
    }

    /// Injects a fault, given as JSON.
    pub(super) fn fault(&self, fault: &str) {
        self.post("/_millstream/faults", fault);
    }

    fn post(&self, path: &str, json: &str) {
        let host = self.endpoint.trim_start_matches("http://");
        let mut connection = TcpStream::connect(host).unwrap();
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nConnection: close");
        write!(connection, "{head}\r\nContent-Length: {}\r\n\r\n{json}", json.len()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 2"), "{answer}");
    }

    /// Puts these lines into a stream.
    pub(super) fn put(&self, stream: &str, lines: &str) {
        assert_eq!(run(self.command(&["put", stream]), lines).status.code(), Some(0));
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Runs to the end, with this text as standard input.
pub(super) fn run(mut command: Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// What a command printed that succeeded and said nothing on standard error.
pub(super) fn printed(command: Command) -> String {
    let output = run(command, "");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
    String::from_utf8(output.stdout).unwrap()
}

/// The same as JSON.
pub(super) fn json(command: Command) -> Value {
    serde_json::from_str(&printed(command)).unwrap()
}

/// The exit code of a command that failed, and what it said on standard error.
pub(super) fn failed(command: Command, input: &str) -> (Option<i32>, String) {
    let output = run(command, input);
    assert_ne!(output.status.code(), Some(0));
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// The command, and what it prints, to be read line by line.
pub(super) fn following(mut command: Command) -> (Child, BufReader<ChildStdout>) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    (child, out)
}

pub(super) fn next_line(out: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    line
}

/// As Ctrl-C does.
pub(super) fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

/// Waits for the end: the exit code and standard error.
pub(super) fn end(mut child: Child) -> (Option<i32>, String) {
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (child.wait().unwrap().code(), said)
}
