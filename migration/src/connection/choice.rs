//! Which target is meant: the options, the environment, and their order.

use std::{fmt, time::Duration};

use super::ConnectError;

/// What a target is reached by, and how its sessions behave.
#[derive(Clone)]
pub struct TargetOptions {
    /// The URL given by the user; `None`: the environment decides.
    pub url: Option<String>,
    /// The schema that holds the managed tables; unqualified names mean this one and no other.
    pub schema: String,
    /// How long a statement may wait for a lock; `None`: as the server says.
    pub lock_timeout: Option<Duration>,
    /// How long a statement may take; `None`: as the server says.
    pub statement_timeout: Option<Duration>,
    /// Whether `DATABASE_UNPOOLED_URL` is taken before `DATABASE_URL`.
    pub prefer_unpooled: bool,
    /// The pool's size in sessions.
    pub max_connections: u32,
}

impl Default for TargetOptions {
    fn default() -> TargetOptions {
        TargetOptions {
            url: None,
            schema: "public".to_owned(),
            lock_timeout: None,
            statement_timeout: None,
            prefer_unpooled: false,
            max_connections: 10,
        }
    }
}

/// The URL holds a password, so it is left out.
impl fmt::Debug for TargetOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TargetOptions")
            .field("url", &self.url.as_ref().map(|_| "(hidden)"))
            .field("schema", &self.schema)
            .field("lock_timeout", &self.lock_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .field("prefer_unpooled", &self.prefer_unpooled)
            .field("max_connections", &self.max_connections)
            .finish()
    }
}

/// Where the target's address comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum TargetSource {
    /// A URL, and what it was read from (`--target`, or a variable's name).
    Url {
        /// The URL, with its password.
        url: String,
        /// What it was read from.
        origin: &'static str,
    },
    /// libpq's variables: `PGHOST`, `PGDATABASE` and their kin.
    Libpq,
}

/// The URL holds a password, so only its origin is shown.
impl fmt::Debug for TargetSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetSource::Url { origin, .. } => write!(formatter, "Url(from {origin})"),
            TargetSource::Libpq => formatter.write_str("Libpq"),
        }
    }
}

impl TargetOptions {
    /// Decides which target is meant: the given URL, else `MTM_TARGET`, else (if unpooled is preferred)
    /// `DATABASE_UNPOOLED_URL`, else `DATABASE_URL`, else libpq's variables when `PGHOST` or `PGDATABASE` is set.
    ///
    /// A variable that is empty counts as not set. The URL may be the word `local`: the caller, who knows the private
    /// server, puts its URL in the place before connecting.
    ///
    /// # Errors
    /// [`ConnectError::NoTarget`] when nothing says which target is meant.
    pub fn resolve_url(
        &self,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<TargetSource, ConnectError> {
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        if let Some(url) = &self.url {
            return Ok(TargetSource::Url { url: url.clone(), origin: "--target" });
        }
        let unpooled: &[&'static str] = if self.prefer_unpooled { &["DATABASE_UNPOOLED_URL"] } else { &[] };
        let names = ["MTM_TARGET"].iter().chain(unpooled).chain(&["DATABASE_URL"]);
        for origin in names {
            if let Some(url) = variable(origin) {
                return Ok(TargetSource::Url { url, origin });
            }
        }
        if variable("PGHOST").or_else(|| variable("PGDATABASE")).is_some() {
            return Ok(TargetSource::Libpq);
        }
        Err(ConnectError::NoTarget)
    }
}

/// The value of an environment variable; one that is not Unicode is kept readable, so that it fails where it is used
/// instead of being passed over for another target.
pub fn environment(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(
        given: Option<&str>,
        unpooled: bool,
        variables: &[(&str, &str)],
    ) -> Result<TargetSource, ConnectError> {
        let options = TargetOptions {
            url: given.map(str::to_owned),
            prefer_unpooled: unpooled,
            ..TargetOptions::default()
        };
        options.resolve_url(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_order_of_the_sources() {
        let all =
            [("MTM_TARGET", "m"), ("DATABASE_UNPOOLED_URL", "u"), ("DATABASE_URL", "d"), ("PGHOST", "h")];
        type Variables<'a> = &'a [(&'a str, &'a str)];
        let cases: &[(Option<&str>, bool, Variables<'_>, &str)] = &[
            (Some("g"), true, &all, "--target"),
            (None, true, &all, "MTM_TARGET"),
            (None, true, &all[1..], "DATABASE_UNPOOLED_URL"),
            (None, false, &all[1..], "DATABASE_URL"),
            (None, true, &all[2..], "DATABASE_URL"),
            (None, false, &[("MTM_TARGET", ""), ("DATABASE_URL", "d")], "DATABASE_URL"),
        ];
        for (given, unpooled, variables, expected) in cases {
            match resolve(*given, *unpooled, variables) {
                Ok(TargetSource::Url { origin, .. }) => assert_eq!(origin, *expected, "{variables:?}"),
                other => panic!("{variables:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn libpq_variables_count_only_with_host_or_database() {
        assert_eq!(resolve(None, false, &[("PGHOST", "h")]).unwrap(), TargetSource::Libpq);
        assert_eq!(resolve(None, false, &[("PGDATABASE", "d")]).unwrap(), TargetSource::Libpq);
        for variables in [&[][..], &[("PGUSER", "u"), ("PGPORT", "1")], &[("PGHOST", "")]] {
            assert!(matches!(resolve(None, false, variables), Err(ConnectError::NoTarget)), "{variables:?}");
        }
    }

    #[test]
    fn debug_shows_no_password() {
        let url = "postgresql://u:hunter2@h/d".to_owned();
        let options = TargetOptions { url: Some(url), ..TargetOptions::default() };
        assert!(!format!("{options:?}{:?}", options.resolve_url(|_| None)).contains("hunter2"));
    }
}
