//! Connections: taken, given their time, and finished when the site is told to stop.

use std::{net::SocketAddr, sync::Arc, time::Duration};

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
    let listener = TcpListener::bind(settings.listen).await.map_err(listen)?;
    listening(listener.local_addr().map_err(listen)?);

    let room = Arc::new(Semaphore::new(CONNECTIONS));
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
                let served =
                    graceful.watch(connection(router.clone(), stream, peer, settings.client_timeout));
                tokio::spawn(async move {
                    // What ends a connection early is the client's business.
                    if let Err(error) = served.await {
                        tracing::debug!(%error, client = %peer.ip(), "connection");
                    }
                    drop(permit);
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
