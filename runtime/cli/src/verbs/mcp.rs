//! `hall mcp`: serves the hall's tools to an agent's client.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use skillhall_mcp::{Door, End, Halls, Http, Server, serve};
use tokio::signal::unix::{SignalKind, signal};

use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::hall::Place;
use crate::interrupt;
use crate::printer::{Printer, good};

/// Serve the tools of this hall to an agent's client, over the Model Context Protocol on stdin and stdout, or over HTTP
#[derive(Args)]
#[command(
    after_help = "A client starts this by itself; hall connect writes that into its configuration.\n\nIt acts for whoever runs it, or for the holder of the token with --token-file. With --http each request acts for the holder of\nthe token that it carries (Authorization: Bearer), and a request without one is refused. What is listed is what may be called at\nthat moment, and every call goes through every gate. Nothing that an agent can call installs, grants or approves anything.\n\nExamples:\n  hall connect claude-code\n  hall mcp\n  hall mcp --token-file agent.token\n  hall mcp --http 127.0.0.1:7700"
)]
pub(crate) struct Arguments {
    /// Serve over HTTP here: an address with a port, or a port of 127.0.0.1; without either, any port of it that is free
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:0", value_parser = address)]
    http: Option<SocketAddr>,
    /// Another name by which clients may call the server over HTTP, as behind a reverse proxy: NAME or NAME:PORT
    #[arg(long, value_name = "NAME", requires = "http")]
    allow_host: Vec<String>,
    /// Let the HTTP address be one that other machines reach: without TLS, for a network that is trusted
    #[arg(long, requires = "http")]
    allow_remote: bool,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text.parse::<u16>().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    port.or_else(|_| text.parse()).map_err(|_| "name an address with a port, such as 127.0.0.1:7700".to_owned())
}

pub(crate) async fn run(arguments: Arguments, place: &Place, printer: Printer) -> Outcome {
    let web = match arguments.http {
        Some(address) => Some((address, door(&arguments, address, place)?)),
        None => None,
    };
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
    if let Some((address, door)) = web {
        let http = Http::bind(address).await.map_err(|error| {
            let hint = "name another with --http, or leave the port out for any that is free";
            CommandError::usage(format!("{address} cannot be listened on: {error}"), hint)
        })?;
        tell(&http, &printer);
        http.serve(server, door, until).await;
        return Ok(*ended.borrow_and_update());
    }
    match serve(server, tokio::io::stdin(), tokio::io::stdout(), until).await {
        End::Closed => Ok(Exit::Done),
        End::Stopped => Ok(*ended.borrow_and_update()),
        End::NotMcp => Err(CommandError::usage(
            "what came on stdin is not the Model Context Protocol",
            "a client starts this: hall connect --help",
        )),
    }
}

/// Under which names the server answers at an address, if it may be there.
fn door(arguments: &Arguments, address: SocketAddr, place: &Place) -> Outcome<Door> {
    if place.token_file().is_some() {
        return Err(CommandError::usage(
            "over HTTP each request brings its own token, and the server has none",
            "leave out --token-file and SKILLHALL_TOKEN_FILE",
        ));
    }
    if !address.ip().is_loopback() && !arguments.allow_remote {
        return Err(CommandError::usage(
            format!("{address} can be reached by other machines, and tokens would go to it unencrypted"),
            "stay on 127.0.0.1 behind a reverse proxy with TLS, or say --allow-remote (docs/mcp.md)",
        ));
    }
    arguments.allow_host.iter().try_fold(Door::at(address.ip()), |door, name| {
        door.with(name).ok_or_else(|| {
            CommandError::usage(
                format!("--allow-host {name:?} is no name of a host"),
                "such as hall.example.org or hall.example.org:8443, without http://",
            )
        })
    })
}

/// Where the server is, which with port 0 nobody knows before.
fn tell(http: &Http, printer: &Printer) {
    if printer.is_json() {
        let address = http.address();
        printer.result(&json!({ "url": http.url(), "address": address.to_string(), "port": address.port() }), Vec::new);
    }
    printer.note(&format!("{} {} for whoever shows a token of this hall (hall token issue)", good("listens:"), http.url()));
    if !http.address().ip().is_loopback() {
        printer.note("warning: other machines reach this without TLS, and whoever listens on the way can take the tokens; put a");
        printer.note("reverse proxy with TLS before it (docs/mcp.md)");
    }
}
