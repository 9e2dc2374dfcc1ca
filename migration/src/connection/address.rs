//! From a URL or libpq's variables to the driver's options, without what the driver would pass over in silence.
//!
//! The driver takes any scheme, turns a bad `PGSSLMODE` into `prefer` and a bad `PGPORT` into 5432, and logs unknown
//! parameters with their values. Here each of these is an error that names the key alone.

use std::{str::FromStr, time::Duration};

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::{ConnectError, TargetSource};

/// How long the server may take to answer when the URL's `connect_timeout` does not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What the driver understands (the manual, "Connection URIs" and "Parameter Key Words").
const KNOWN: &[&str] = &[
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// What hosting services put into their URLs, and what changes nothing here: the driver has no channel binding and no
/// GSSAPI, and whether a pooler is there is found out by asking.
const PASSED_OVER: &[&str] = &[
    "channel_binding",
    "connect_timeout",
    "fallback_application_name",
    "gssencmode",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "pgbouncer",
    "sslsni",
    "target_session_attrs",
    "tcp_user_timeout",
];

/// Where a server is.
pub(super) struct Address {
    pub(super) options: PgConnectOptions,
    pub(super) timeout: Duration,
}

/// Reads the address.
pub(super) fn address(
    source: &TargetSource,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Address, ConnectError> {
    let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
    check_port(variable("PGPORT"))?;
    match source {
        TargetSource::Libpq => {
            check_ssl_mode(variable("PGSSLMODE"))?;
            Ok(Address { options: PgConnectOptions::new(), timeout: CONNECT_TIMEOUT })
        }
        TargetSource::Url { url, origin } => {
            let cleaned = Cleaned::of(url).map_err(|reason| bad_url(origin, reason))?;
            if !cleaned.has_ssl_mode {
                check_ssl_mode(variable("PGSSLMODE"))?;
            }
            let options = PgConnectOptions::from_str(&cleaned.url)
                .map_err(|error| bad_url(origin, reason_of(&error)))?;
            Ok(Address { options, timeout: cleaned.timeout })
        }
    }
}

fn bad_url(origin: &str, reason: String) -> ConnectError {
    ConnectError::BadUrl { origin: origin.to_owned(), reason }
}

fn reason_of(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Configuration(source) => source.to_string(),
        other => other.to_string(),
    }
}

fn check_ssl_mode(value: Option<String>) -> Result<(), ConnectError> {
    let Some(value) = value else { return Ok(()) };
    PgSslMode::from_str(&value).map(|_| ()).map_err(|_| ConnectError::BadVariable {
        name: "PGSSLMODE",
        reason: format!("{value:?} is none of disable, allow, prefer, require, verify-ca, verify-full"),
    })
}

fn check_port(value: Option<String>) -> Result<(), ConnectError> {
    let Some(value) = value else { return Ok(()) };
    value.parse::<u16>().map(|_| ()).map_err(|_| ConnectError::BadVariable {
        name: "PGPORT",
        reason: format!("{value:?} is not a port's number"),
    })
}

/// A URL with only the parameters that the driver understands.
struct Cleaned {
    url: String,
    has_ssl_mode: bool,
    timeout: Duration,
}

impl Cleaned {
    fn of(url: &str) -> Result<Cleaned, String> {
        if url == "local" {
            return Err("the word local is understood by mtm alone (mtm local url prints the URL)".to_owned());
        }
        if !(url.starts_with("postgresql://") || url.starts_with("postgres://")) {
            return Err("it does not begin with postgresql://".to_owned());
        }
        let (head, query) = url.split_once('?').unwrap_or((url, ""));
        let mut kept = Vec::new();
        let mut has_ssl_mode = false;
        let mut timeout = CONNECT_TIMEOUT;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if key == "connect_timeout" {
                timeout = connect_timeout(value)?;
            }
            if PASSED_OVER.contains(&key) {
                continue;
            }
            if !KNOWN.contains(&key) && !key.starts_with("options[") {
                return Err(format!("the parameter {key:?} is not known"));
            }
            has_ssl_mode |= matches!(key, "sslmode" | "ssl-mode");
            kept.push(pair);
        }
        let url = if kept.is_empty() { head.to_owned() } else { format!("{head}?{}", kept.join("&")) };
        Ok(Cleaned { url, has_ssl_mode, timeout })
    }
}

/// `connect_timeout` in seconds; zero means to wait for ever, which here is a day.
fn connect_timeout(value: &str) -> Result<Duration, String> {
    match value.parse::<u32>() {
        Ok(0) => Ok(Duration::from_secs(86_400)),
        Ok(seconds) => Ok(Duration::from_secs(u64::from(seconds))),
        Err(_) => Err("connect_timeout is not a number of seconds".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str, variables: &[(&str, &str)]) -> Result<Address, ConnectError> {
        let source = TargetSource::Url { url: url.to_owned(), origin: "--target" };
        address(&source, |name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn good_urls() {
        let address = parse("postgresql://me:p%40s%24s@db.example:5433/shop?sslmode=require", &[]).unwrap();
        assert_eq!(address.options.get_host(), "db.example");
        assert_eq!(address.options.get_port(), 5433);
        assert_eq!(address.options.get_username(), "me");
        assert_eq!(address.options.get_database(), Some("shop"));
        assert!(matches!(address.options.get_ssl_mode(), PgSslMode::Require));
        let hosted =
            "postgres://u@h/d?sslmode=require&channel_binding=require&connect_timeout=3&pgbouncer=true";
        assert_eq!(parse(hosted, &[]).unwrap().timeout, Duration::from_secs(3));
        let socket = parse("postgresql:///d?host=/run/pg", &[]).unwrap();
        assert_eq!(socket.options.get_socket().unwrap().to_str(), Some("/run/pg"));
    }

    #[test]
    fn bad_urls_name_the_fault_and_no_secret() {
        let cases = [
            ("", "does not begin"),
            ("shop.db", "does not begin"),
            ("mysql://u:hunter2@h/d", "does not begin"),
            ("local", "mtm local url"),
            ("postgresql://u:hunter2@h:port/d", "port"),
            ("postgresql://u:hunter2@h/d?sslmode=maybe", "maybe"),
            ("postgresql://u@h/d?pasword=hunter2", "\"pasword\" is not known"),
            ("postgresql://u:hunter2@h/d?connect_timeout=soon", "connect_timeout"),
        ];
        for (url, expected) in cases {
            let Err(error) = parse(url, &[]) else { panic!("{url} was taken") };
            let text = error.to_string();
            assert!(text.contains(expected), "{url}: {text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn bad_variables_are_errors() {
        let url = "postgresql://u@h/d";
        for variables in [[("PGSSLMODE", "maybe")], [("PGPORT", "many")]] {
            assert!(matches!(parse(url, &variables), Err(ConnectError::BadVariable { .. })), "{variables:?}");
        }
        assert!(parse("postgresql://u@h/d?sslmode=disable", &[("PGSSLMODE", "maybe")]).is_ok());
        assert!(parse(url, &[("PGSSLMODE", "")]).is_ok());
    }
}
