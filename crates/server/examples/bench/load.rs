//! Clients over real sockets, on threads of their own: what they cost is told apart from what the server costs.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const CONNECTIONS: usize = 512;
const CHUNK: usize = 64 * 1024;

/// Where to, as whom, and what.
#[derive(Clone)]
pub struct Target {
    pub address: SocketAddr,
    pub key: String,
    /// Writes the body of a request by its number.
    pub body: fn(u64, &mut String),
    pub numbers: Arc<AtomicU64>,
}

/// A request of an open loop: its number, when it was due, when it was answered.
pub type Answered = (u64, Instant, Instant);

/// Runs on one thread of its own, which the processor time is counted for.
fn thread<T, F>(name: &str, work: impl FnOnce() -> F + Send + 'static) -> JoinHandle<T>
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    let run = move || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work());
    std::thread::Builder::new().name(name.to_owned()).spawn(run).expect("a thread")
}

/// How many were answered, and a second, when every connection asks again as soon as it is answered.
pub fn closed_loop(target: &Target, time: Duration) -> (u64, f64) {
    let (target, started) = (target.clone(), Instant::now());
    let work = move || async move {
        let client = |target: Target| async move {
            let (mut connection, mut done) = (Connection::open(&target).await, 0u64);
            while started.elapsed() < time {
                connection.ask(target.numbers.fetch_add(1, Ordering::Relaxed)).await;
                done += 1;
            }
            done
        };
        sum(each(|_| tokio::spawn(client(target.clone())))).await
    };
    let done = thread("load", work).join().expect("clients");
    (done, done as f64 / started.elapsed().as_secs_f64())
}

/// Asks at a steady rate, whether answers come or not: a late answer makes the next request of its connection late, and that counts.
pub fn open_loop(target: &Target, per_s: f64, time: Duration) -> Vec<Answered> {
    let target = target.clone();
    let pause = Duration::from_secs_f64(CONNECTIONS as f64 / per_s);
    let work = move || async move {
        // Connected before it begins: what is measured is a request.
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            connections.push(Connection::open(&target).await);
        }
        let started = Instant::now() + Duration::from_millis(200);
        let client = |target: Target, mut connection: Connection, at: usize| async move {
            let mut answered = Vec::new();
            let mut due = started + pause.mul_f64(at as f64 / CONNECTIONS as f64);
            while due < started + time {
                tokio::time::sleep_until(due.into()).await;
                let number = target.numbers.fetch_add(1, Ordering::Relaxed);
                connection.ask(number).await;
                answered.push((number, due, Instant::now()));
                due += pause;
            }
            answered
        };
        let clients: Vec<_> =
            connections.into_iter().enumerate().map(|(at, connection)| tokio::spawn(client(target.clone(), connection, at))).collect();
        let mut all = Vec::new();
        for client in clients {
            all.extend(client.await.expect("a client"));
        }
        all
    };
    thread("load", work).join().expect("clients")
}

fn each<T>(client: impl Fn(usize) -> T) -> Vec<T> {
    (0..CONNECTIONS).map(client).collect()
}

async fn sum(clients: Vec<tokio::task::JoinHandle<u64>>) -> u64 {
    let mut done = 0;
    for client in clients {
        done += client.await.expect("a client");
    }
    done
}

/// Hears every order on the event stream, until none comes for a second after `time`: its number, and when.
pub fn listen(target: &Target, time: Duration) -> JoinHandle<Vec<(u64, Instant)>> {
    let target = target.clone();
    thread("listen", move || async move {
        let mut stream = TcpStream::connect(target.address).await.expect("a connection");
        let head = "GET /v1/events/stream?type=order.placed HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer";
        stream.write_all(format!("{head} {}\r\n\r\n", target.key).as_bytes()).await.expect("a connection");
        let (started, mut seen, mut buffer) = (Instant::now(), Vec::new(), Vec::new());
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = tokio::time::timeout(Duration::from_secs(1), stream.read(&mut chunk)).await;
            let Ok(read) = read else { if started.elapsed() > time { return seen } else { continue } };
            let now = Instant::now();
            buffer.extend_from_slice(&chunk[..read.expect("a connection")]);
            let whole = buffer.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            seen.extend(numbers(&buffer[..whole]).map(|number| (number, now)));
            buffer.drain(..whole);
        }
    })
}

/// Numbers that orders carry as their external id.
fn numbers(events: &[u8]) -> impl Iterator<Item = u64> {
    let text = String::from_utf8_lossy(events).into_owned();
    let found: Vec<u64> =
        text.lines().filter_map(|line| line.split_once("\"external_id\":\"B-")?.1.split_once('"')?.0.parse().ok()).collect();
    found.into_iter()
}

pub struct Connection {
    stream: TcpStream,
    head: String,
    write: fn(u64, &mut String),
    body: String,
    request: String,
    answer: Vec<u8>,
}

impl Connection {
    pub async fn open(target: &Target) -> Self {
        let stream = TcpStream::connect(target.address).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let head = format!(
            "POST /v1/orders HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: ",
            target.key
        );
        Self { stream, head, write: target.body, body: String::new(), request: String::new(), answer: vec![0; CHUNK] }
    }

    /// Sends one request and reads its answer; returns the length of the answer's body.
    pub async fn ask(&mut self, number: u64) -> usize {
        self.body.clear();
        (self.write)(number, &mut self.body);
        self.request.clear();
        write!(self.request, "{}{}\r\n\r\n{}", self.head, self.body.len(), self.body).expect("a text");
        self.stream.write_all(self.request.as_bytes()).await.expect("a connection");
        let mut read = 0;
        loop {
            let more = self.stream.read(&mut self.answer[read..]).await.expect("a connection");
            assert!(more > 0, "the server hung up");
            read += more;
            let answer = &self.answer[..read];
            let Some(head) = find(answer, b"\r\n\r\n") else { continue };
            let length = length(&answer[..head]);
            if read >= head + 4 + length {
                assert_eq!(&answer[9..12], b"201", "{}", String::from_utf8_lossy(answer));
                return length;
            }
        }
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn length(head: &[u8]) -> usize {
    let at = find(head, b"content-length: ").expect("a length") + b"content-length: ".len();
    head[at..].iter().take_while(|byte| byte.is_ascii_digit()).fold(0, |length, digit| length * 10 + usize::from(digit - b'0'))
}
