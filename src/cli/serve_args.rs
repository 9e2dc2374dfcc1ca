//! What `mtm serve` is told: by flags, or by the environment, as a host gives it.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    path::PathBuf,
    time::Duration,
};

use clap::{Args, ValueEnum};

use super::args::duration;

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// The PostgreSQL database: a URL, or `local` for the private server [env: MTM_TARGET, DATABASE_URL, PG*]
    #[arg(long, value_name = "URL")]
    pub(super) target: Option<String>,

    /// The mapping that names the folder of versions, all of which the database has to have before the site is ready
    /// [default: mappings/types.yaml, where it exists]
    #[arg(long, env = "MTM_MAPPING", value_name = "FILE")]
    pub(super) mapping: Option<PathBuf>,

    /// The schema that holds the tables [default: the mapping's, else public]
    #[arg(long, value_name = "NAME")]
    pub(super) schema: Option<String>,

    /// The address to listen on; `::` is every one, of IPv6 and of IPv4
    #[arg(long, env = "MTM_BIND", value_name = "ADDRESS", default_value_t = IpAddr::V6(Ipv6Addr::UNSPECIFIED))]
    pub(super) bind: IpAddr,

    /// The port to listen on; 0: any that is free
    #[arg(long, env = "PORT", value_name = "PORT", default_value_t = 8000)]
    pub(super) port: u16,

    /// Sessions with the database that are kept open
    #[arg(long, env = "MTM_POOL_MIN", value_name = "N", default_value_t = 2)]
    pub(super) pool_min: u32,

    /// Sessions with the database at most; who needs one more waits
    #[arg(long, env = "MTM_POOL_MAX", value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(super) pool_max: u32,

    /// How long a request waits for a session before it is answered 503
    #[arg(long, env = "MTM_POOL_ACQUIRE_TIMEOUT", value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub(super) pool_acquire_timeout: Duration,

    /// How long a session above the minimum may rest
    #[arg(long, env = "MTM_POOL_IDLE_TIMEOUT", value_name = "DURATION", default_value = "10min", value_parser = duration)]
    pub(super) pool_idle_timeout: Duration,

    /// How old a session may become
    #[arg(long, env = "MTM_POOL_MAX_LIFETIME", value_name = "DURATION", default_value = "30min", value_parser = duration)]
    pub(super) pool_max_lifetime: Duration,

    /// How long a statement may run (0: for ever)
    #[arg(long, env = "MTM_STATEMENT_TIMEOUT", value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub(super) statement_timeout: Duration,

    /// What a writer has to send as `Authorization: Bearer …`; not set: nothing can be written. Better in the environment,
    /// where other users of the machine do not see it
    #[arg(long, env = "MTM_API_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub(super) api_token: Option<String>,

    /// The header in which the proxy in front says who asks, such as x-real-ip; not set: whoever opens the connection
    #[arg(long, env = "MTM_CLIENT_HEADER", value_name = "HEADER")]
    pub(super) client_header: Option<String>,

    /// Requests a second of one client; those from this machine are not counted
    #[arg(long, env = "MTM_RATE_LIMIT", value_name = "N", default_value = "50")]
    pub(super) rate_limit: NonZeroU32,

    /// How long a client may take for a request's head, for each piece of its body, and between two requests
    #[arg(long, env = "MTM_CLIENT_TIMEOUT", value_name = "DURATION", default_value = "15s", value_parser = duration)]
    pub(super) client_timeout: Duration,

    /// How long requests that are under way may take once the site is told to stop
    #[arg(long, env = "MTM_STOP_WITHIN", value_name = "DURATION", default_value = "25s", value_parser = duration)]
    pub(super) stop_within: Duration,

    /// The log's form: lines for people, or a JSON object a line [default: text on a terminal, else json]
    #[arg(long, env = "MTM_LOG_FORMAT", value_enum)]
    pub(super) log_format: Option<LogFormat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// For people
    Text,
    /// For programs
    Json,
}
