//! Connections: taken, given their time, and finished when the site is told to stop.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulConnection, GracefulShutdown},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tower::ServiceExt;

use super::{ServeError, Settings};

/// Connections at once: a file descriptor each, of which a process commonly has 1,024.
const CONNECTIONS: usize = 900;
/// Connections of one address at once, where no proxy is in front: a browser opens six.
const CONNECTIONS_OF_ONE: usize = 64;
/// How long to wait after the system had no connection to give, as when there are too many files open.
const AFTER_REFUSAL: Duration = Duration::from_millis(100);

/// Takes connections until `stop` is ready; then finishes the requests that are under way.
pub(super) async fn run(
    router: Router,
    settings: &Settings,
    listening: impl FnOnce(SocketAddr),
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let listen = |source| ServeError::Listen { address: settings.listen, source };
    let listener = match TcpListener::bind(settings.listen).await {
        // A system without IPv6 has every address of IPv4 all the same.
        Err(error)
            if error.kind() != io::ErrorKind::AddrInUse && settings.listen.ip() == Ipv6Addr::UNSPECIFIED =>
        {
            let of_ipv4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, settings.listen.port()));
            TcpListener::bind(of_ipv4).await.map_err(|_| listen(error))?
        }
        bound => bound.map_err(listen)?,
    };
    listening(listener.local_addr().map_err(listen)?);

    let room = Arc::new(Semaphore::new(CONNECTIONS));
    // Behind a proxy all connections are the proxy's.
    let most = if settings.client_header.is_some() { CONNECTIONS } else { CONNECTIONS_OF_ONE };
    let places = Places { of: Arc::default(), most };
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = async {
                let permit = Arc::clone(&room).acquire_owned().await;
                (listener.accept().await, permit)
            } => accepted,
            () = &mut stop => break,
        };
        match accepted {
            (Ok((stream, peer)), permit) => {
                let Some(place) = places.take(peer.ip()) else {
                    tracing::debug!(client = %peer.ip(), "too many connections of one address");
                    continue;
                };
                let served =
                    graceful.watch(connection(router.clone(), stream, peer, settings.client_timeout));
                tokio::spawn(async move {
                    // What ends a connection early is the client's business.
                    if let Err(error) = served.await {
                        tracing::debug!(%error, client = %peer.ip(), "connection");
                    }
                    drop((permit, place));
                });
            }
            (Err(error), _) => {
                tracing::warn!(%error, "no connection could be taken");
                tokio::time::sleep(AFTER_REFUSAL).await;
            }
        }
    }
    drop(listener);
    tracing::info!(connections = graceful.count(), "stopping: requests that are under way are finished");
    if tokio::time::timeout(settings.stop_within, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were not finished in time");
    }
    Ok(())
}

/// How many connections each address has.
struct Places {
    of: Arc<Mutex<HashMap<IpAddr, usize>>>,
    most: usize,
}

/// A connection's place; given back when it goes out of scope.
struct Place {
    of: Arc<Mutex<HashMap<IpAddr, usize>>>,
    address: IpAddr,
}

impl Places {
    /// A place for one more connection of an address, if it may have one. This very machine may have as many as it wants.
    fn take(&self, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let count = of.entry(address).or_default();
        if *count >= self.most && !address.is_loopback() {
            return None;
        }
        *count += 1;
        Some(Place { of: Arc::clone(&self.of), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = of.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                of.remove(&self.address);
            }
        }
    }
}

/// Serves one connection.
fn connection(
    router: Router,
    stream: TcpStream,
    peer: SocketAddr,
    client_timeout: Duration,
) -> impl GracefulConnection<Output = hyper::Result<()>, Error = hyper::Error> + Send {
    // Without it small answers wait for one another; where it cannot be set, they do.
    stream.set_nodelay(true).ok();
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(client_timeout)
        .serve_connection(TokioIo::new(stream), service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_places_and_gets_them_back() {
        let places = Places { of: Arc::default(), most: 2 };
        let (one, other): (IpAddr, IpAddr) =
            ("192.0.2.1".parse().unwrap(), "::ffff:192.0.2.1".parse().unwrap());
        let first = places.take(one).unwrap();
        let _second = places.take(other).unwrap();
        assert!(places.take(one).is_none(), "it is one address in both forms");
        assert!(places.take("192.0.2.2".parse().unwrap()).is_some());
        drop(first);
        assert!(places.take(one).is_some());
        let own: IpAddr = "127.0.0.1".parse().unwrap();
        let many: Vec<_> = (0..10).map(|_| places.take(own)).collect();
        assert!(many.iter().all(Option::is_some));
    }
}
