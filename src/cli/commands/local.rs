//! `mtm local`

use crate::{
    cli::{
        args::{LocalArgs, LocalCommand},
        error::{CliError, Exit},
        output::Output,
    },
    local::{LocalServer, StartOptions, Status},
};

pub(in crate::cli) fn run(args: &LocalArgs, output: Output) -> Result<Exit, CliError> {
    let here = std::env::current_dir().map_err(|e| CliError::io("the working directory is not there", e))?;
    let server = LocalServer::at(&here);
    let lines = match &args.command {
        LocalCommand::Start { port } => {
            let running = server.start(StartOptions { port: *port })?;
            vec![format!("running, process {}, data in {}", running.pid, running.data.display())]
        }
        LocalCommand::Stop => {
            let was_running = server.stop()?;
            vec![if was_running { "stopped" } else { "it was not running" }.to_owned()]
        }
        LocalCommand::Url { database } => vec![server.url(database)?],
        LocalCommand::Status => match server.status()? {
            Status::Absent => vec!["there is none in this folder; `mtm local start` makes one".to_owned()],
            Status::Stopped { data } => vec![format!("stopped, data in {}", data.display())],
            Status::Starting { pid, log } => {
                vec![format!("process {pid} takes no connections; its log is {}", log.display())]
            }
            Status::Running(running) => {
                let mut lines = vec![
                    format!("running, process {}, data in {}", running.pid, running.data.display()),
                    format!("url {}", running.url("postgres")),
                ];
                if let Some(file) = running.password_file {
                    lines.push(format!("TCP port {}, password in {}", running.port, file.display()));
                }
                lines
            }
        },
    };
    let asked_for = matches!(args.command, LocalCommand::Url { .. } | LocalCommand::Status);
    let write = |out: &mut dyn std::io::Write| lines.iter().try_for_each(|line| writeln!(out, "{line}"));
    if asked_for { output.data(write) } else { output.report(write) }
        .map_err(|error| CliError::io("the answer could not be written", error))?;
    Ok(Exit::Done)
}
