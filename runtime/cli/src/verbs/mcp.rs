//! `hall mcp`: serves the hall's tools to an agent's client.

use std::sync::Arc;

use clap::Args;
use skillhall_mcp::{End, Halls, Server, serve};
use tokio::signal::unix::{SignalKind, signal};

use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::hall::Place;
use crate::interrupt;
use crate::printer::Printer;

/// Serve the tools of this hall to an agent's client, over the Model Context Protocol on stdin and stdout
#[derive(Args)]
#[command(
    after_help = "A client starts this by itself; hall connect writes that into its configuration.\n\nIt acts for whoever runs it, or for the holder of the token with --token-file. What is listed is what may be called at that\nmoment, and every call goes through every gate. Nothing that an agent can call installs, grants or approves anything.\n\nExamples:\n  hall connect claude-code\n  hall mcp\n  hall mcp --token-file agent.token"
)]
pub(crate) struct Arguments {}

pub(crate) async fn run(_: Arguments, place: &Place, printer: Printer) -> Outcome {
    let halls = Arc::new(Halls::new(place.opener("mcp")?)?);
    let server = Server::new(halls, move |line| printer.note(line));
    let mut terminated = signal(SignalKind::terminate()).map_err(|error| CommandError::Fault(error.into()))?;
    let interrupted = interrupt::told();
    let (ends, mut ended) = tokio::sync::watch::channel(Exit::Done);
    let until = async move {
        tokio::select! {
            () = interrupted => { ends.send_replace(Exit::Interrupted); }
            _ = terminated.recv() => {}
        }
    };
    match serve(server, tokio::io::stdin(), tokio::io::stdout(), until).await {
        End::Closed => Ok(Exit::Done),
        End::Stopped => Ok(*ended.borrow_and_update()),
        End::NotMcp => Err(CommandError::usage(
            "what came on stdin is not the Model Context Protocol",
            "a client starts this: hall connect --help",
        )),
    }
}
