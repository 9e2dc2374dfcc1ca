//! `mtm serve`

use std::net::SocketAddr;

use crate::{
    apply::Interrupt,
    cli::{
        args::TargetArgs,
        error::{CliError, Exit},
        output::Output,
        placement::placement,
        prepare,
        serve_args::ServeArgs,
    },
    dashboard::{self, ApiToken, PoolSettings, Settings},
};

pub(in crate::cli) async fn run(
    args: &ServeArgs,
    output: Output,
    interrupt: &Interrupt,
) -> Result<Exit, CliError> {
    let usage = |message: String| CliError::Usage { message, hint: None };
    let api_token = args.api_token.clone().filter(|token| !token.is_empty()).map(ApiToken::new).transpose();
    let api_token = api_token.map_err(|error| usage(format!("MTM_API_TOKEN: {error}")))?;
    let client_header = args.client_header.as_ref().filter(|name| !name.is_empty());
    let client_header = client_header.map(|name| name.parse()).transpose();
    let client_header =
        client_header.map_err(|_| usage("--client-header: that is no header's name".to_owned()))?;
    if args.pool_min > args.pool_max {
        return Err(usage(format!(
            "the pool's minimum, {}, is above its maximum, {}",
            args.pool_min, args.pool_max
        )));
    }

    let mapping = prepare::mapping(args.mapping.as_deref())?;
    let versions = prepare::versions(mapping.versions_dir.as_ref())?;
    let schema = placement(&mapping, args.schema.as_deref())?.schema;
    let target = TargetArgs {
        target: args.target.clone(),
        lock_timeout: None,
        statement_timeout: Some(args.statement_timeout),
    };
    let target = prepare::connect(&target, &schema, None, false, 1).await?;
    let display = target.display.clone();
    let settings = Settings {
        listen: SocketAddr::new(args.bind, args.port),
        pool: PoolSettings {
            min: args.pool_min,
            max: args.pool_max,
            acquire_timeout: args.pool_acquire_timeout,
            idle_timeout: args.pool_idle_timeout,
            max_lifetime: args.pool_max_lifetime,
        },
        api_token,
        client_header,
        requests_a_second: args.rate_limit,
        client_timeout: args.client_timeout,
        stop_within: args.stop_within,
        versions,
    };
    // From here on a signal ends the site in order; a second one at once.
    let serving = interrupt.at_work();
    let stop = interrupt.is_asked();
    let listening = |address: SocketAddr| {
        let shown = if address.ip().is_unspecified() { "localhost".to_owned() } else { host(address) };
        output.note(&format!("The Music Time Machine of {display} is at http://{shown}:{}", address.port()));
    };
    dashboard::serve(target, settings, listening, stop).await?;
    drop(serving);
    Ok(Exit::Done)
}

/// An address as a URL has it.
fn host(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}
