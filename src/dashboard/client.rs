//! Who asks, and whether too often.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName},
    middleware::Next,
    response::Response,
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock};

use super::{fault::Fault, router};

/// Wrong tokens a minute of one client: who has the right one never sends a wrong one.
const WRONG_TOKENS_A_MINUTE: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// Seconds of requests that may come at once: a page and what it needs.
const BURST_SECONDS: u32 = 3;
/// Clients after whose number the forgotten ones are cleared away.
const CLIENTS: usize = 10_000;

/// Who asks: the address that opened the connection, or the one that a proxy names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Client(pub(super) IpAddr);

impl Client {
    /// What is counted together: an address of IPv4, and of IPv6 the network that one customer has.
    fn network(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from(u128::from(address) & !u128::from(u64::MAX))),
        }
    }
}

/// How often each client may ask.
pub(super) struct Limits {
    header: Option<HeaderName>,
    requests: DefaultKeyedRateLimiter<IpAddr>,
    wrong_tokens: DefaultKeyedRateLimiter<IpAddr>,
}

impl Limits {
    pub(super) fn new(header: Option<HeaderName>, requests_a_second: NonZeroU32) -> Limits {
        let burst =
            requests_a_second.saturating_mul(NonZeroU32::new(BURST_SECONDS).unwrap_or(NonZeroU32::MIN));
        Limits {
            header,
            requests: RateLimiter::keyed(Quota::per_second(requests_a_second).allow_burst(burst)),
            wrong_tokens: RateLimiter::keyed(Quota::per_minute(WRONG_TOKENS_A_MINUTE)),
        }
    }

    fn client(&self, headers: &HeaderMap, peer: SocketAddr) -> Client {
        Client(self.named(headers).unwrap_or_else(|| peer.ip()).to_canonical())
    }

    /// Whom the proxy names. The last address is what it saw itself; those before it are what it was told.
    fn named(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let value = headers.get_all(self.header.as_ref()?).iter().next_back()?;
        value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
    }

    /// Notes a wrong token.
    ///
    /// # Errors
    /// [`Fault::TooMany`] where there were too many of them.
    pub(super) fn wrong_token(&self, client: Client) -> Result<(), Fault> {
        within(&self.wrong_tokens, client)
    }
}

fn within(limiter: &DefaultKeyedRateLimiter<IpAddr>, client: Client) -> Result<(), Fault> {
    if limiter.len() > CLIENTS {
        limiter.retain_recent();
    }
    limiter.check_key(&client.network()).map_err(|not_until| {
        let wait = not_until.wait_time_from(limiter.clock().now());
        Fault::TooMany { retry_after_seconds: wait.as_secs() + 1 }
    })
}

/// Says who asks, and turns away who asks too often. Clients on this very machine are not counted: they are a proxy that
/// was not told of, or whoever runs the site.
pub(super) async fn limit(State(limits): State<Arc<Limits>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
    let Some(peer) = peer else { return next.run(request).await };
    let client = limits.client(request.headers(), peer);
    request.extensions_mut().insert(client);
    // Whoever looks after the site asks these two.
    let is_watched = ["/healthz", "/readyz"].contains(&request.uri().path());
    let is_own = peer.ip().to_canonical().is_loopback() && limits.named(request.headers()).is_none();
    if !is_own
        && !is_watched
        && let Err(fault) = within(&limits.requests, client)
    {
        return router::refuse(&fault, request.uri(), request.headers());
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxys_own_word_counts_and_what_it_was_told_does_not() {
        let peer: SocketAddr = "[::ffff:198.51.100.7]:4000".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "192.0.2.1, 203.0.113.9".parse().unwrap());
        let one = NonZeroU32::MIN;
        let trusting = Limits::new(Some(HeaderName::from_static("x-forwarded-for")), one);
        assert_eq!(trusting.client(&headers, peer).0.to_string(), "203.0.113.9");
        assert_eq!(trusting.client(&HeaderMap::new(), peer).0.to_string(), "198.51.100.7");
        assert_eq!(Limits::new(None, one).client(&headers, peer).0.to_string(), "198.51.100.7");
    }

    #[test]
    fn wrong_tokens_are_few() {
        let limits = Limits::new(None, NonZeroU32::MIN);
        let (one, other) = (Client("192.0.2.1".parse().unwrap()), Client("192.0.2.2".parse().unwrap()));
        assert_eq!((0..20).filter(|_| limits.wrong_token(one).is_ok()).count(), 10);
        assert!(limits.wrong_token(other).is_ok());
        let of_network = |host: u16| Client(format!("2001:db8:0:1::{host:x}").parse().unwrap());
        let together = (0..20).filter(|host| limits.wrong_token(of_network(*host)).is_ok());
        assert_eq!(together.count(), 10, "a network of IPv6 is one client");
    }
}
