//! A network between `mtm` and the server that can be slow, cut, or dead.

use std::{
    pin::{Pin, pin},
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use sqlx::postgres::PgConnectOptions;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};

use crate::support::server_url;

/// A TCP port of its own, before the test server.
pub struct Proxy {
    port: u16,
    line: Arc<Line>,
}

struct Line {
    /// A pause before each piece is handed on, in microseconds.
    delay: AtomicU64,
    /// Bytes from client to server until something happens; negative: nothing does.
    left: AtomicI64,
    /// What happens: all connections are cut, or stand still for ever.
    stalls: AtomicBool,
    /// Whether new connections stand still too.
    is_dead: AtomicBool,
    /// Bytes that the client has sent.
    sent: AtomicU64,
    /// Counts the times that it happened; connections of an earlier time are over.
    times: watch::Sender<u64>,
}

/// What happens to the connections that there are, after so many bytes from the client.
pub enum Fault {
    Cut,
    Stall,
    /// As [`Fault::Stall`], and new connections come to nothing.
    Death,
}

impl Proxy {
    pub async fn start() -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let line = Arc::new(Line {
            delay: AtomicU64::new(0),
            left: AtomicI64::new(-1),
            stalls: AtomicBool::new(false),
            is_dead: AtomicBool::new(false),
            sent: AtomicU64::new(0),
            times: watch::Sender::new(0),
        });
        let shared = Arc::clone(&line);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connection(client, Arc::clone(&shared)));
            }
        });
        Proxy { port, line }
    }

    /// The URL of a database by way of it.
    pub fn url(&self, database: &str) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/{database}?sslmode=disable&connect_timeout=2", self.port)
    }

    pub fn delay(&self, delay: Duration) {
        self.line.delay.store(delay.as_micros() as u64, Ordering::SeqCst);
    }

    /// Lets this happen after so many more bytes from the client.
    pub fn after(&self, bytes: u64, fault: &Fault) {
        self.line.stalls.store(!matches!(fault, Fault::Cut), Ordering::SeqCst);
        self.line.is_dead.store(false, Ordering::SeqCst);
        self.line.left.store(bytes as i64, Ordering::SeqCst);
        if matches!(fault, Fault::Death) {
            let line = Arc::clone(&self.line);
            let mut times = line.times.subscribe();
            tokio::spawn(async move {
                times.changed().await.ok();
                line.is_dead.store(true, Ordering::SeqCst);
            });
        }
    }

    /// How often it happened.
    pub fn times(&self) -> u64 {
        *self.line.times.borrow()
    }

    /// Waits until it has happened.
    pub async fn happened(&self) {
        let mut times = self.line.times.subscribe();
        let happened = times.wait_for(|times| *times > 0);
        tokio::time::timeout(Duration::from_secs(30), happened).await.expect("something happens").unwrap();
    }

    /// New connections get through again.
    pub fn heal(&self) {
        self.line.is_dead.store(false, Ordering::SeqCst);
    }

    /// Bytes that the client has sent so far.
    pub fn sent(&self) -> u64 {
        self.line.sent.load(Ordering::SeqCst)
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The server's own port or socket.
async fn server() -> Box<dyn Stream> {
    let options = PgConnectOptions::from_str(&server_url()).unwrap();
    match options.get_socket() {
        Some(folder) => {
            let socket = folder.join(format!(".s.PGSQL.{}", options.get_port()));
            Box::new(UnixStream::connect(socket).await.unwrap())
        }
        None => Box::new(TcpStream::connect((options.get_host(), options.get_port())).await.unwrap()),
    }
}

async fn connection(client: TcpStream, line: Arc<Line>) {
    if line.is_dead.load(Ordering::SeqCst) {
        // Taken, and never answered.
        return std::future::pending().await;
    }
    let mut times = line.times.subscribe();
    let begun = *times.borrow_and_update();
    let (client_reads, client_writes) = client.into_split();
    let (server_reads, server_writes) = tokio::io::split(server().await);
    let mut forth = pin!(hand_on(Box::pin(client_reads), Box::pin(server_writes), &line, true));
    let mut back = pin!(hand_on(Box::pin(server_reads), Box::pin(client_writes), &line, false));
    tokio::select! {
        () = &mut forth => {}
        () = &mut back => {}
        _ = times.wait_for(|times| *times > begun) => {}
    }
    let stalled = *line.times.borrow() > begun && line.stalls.load(Ordering::SeqCst);
    if stalled {
        // The sockets stay open, and nobody reads them.
        std::future::pending::<()>().await;
    }
}

async fn hand_on(
    mut from: Pin<Box<dyn AsyncRead + Send>>,
    mut to: Pin<Box<dyn AsyncWrite + Send>>,
    line: &Line,
    is_clients: bool,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        let delay = Duration::from_micros(line.delay.load(Ordering::SeqCst));
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if is_clients {
            line.sent.fetch_add(read as u64, Ordering::SeqCst);
            // Below zero nothing is to happen, or it has.
            let spent = |left: i64| (left >= 0).then(|| left - read as i64);
            let left = line.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, spent);
            if let Ok(left) = left.map(|left| left as usize)
                && left < read
            {
                to.write_all(&buffer[..left]).await.ok();
                line.times.send_modify(|times| *times += 1);
                return std::future::pending().await;
            }
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
