//! The command `hall`: builds, certifies, publishes, installs and runs skills, and refuses them.

mod error;
mod exit;
mod hall;
mod interrupt;
mod lines;
mod module;
mod package;
mod passphrase;
mod prepare;
mod printer;
mod progress;
mod reference;
mod template;
mod token;
mod verbs;

use std::process::ExitCode;

use clap::{Args, Parser};

use crate::error::CommandError;
use crate::exit::Exit;
use crate::printer::Printer;
use crate::verbs::Verb;

/// Runs skills that strangers wrote, only after proving what they are and that they may.
#[derive(Parser)]
#[command(
    name = "hall",
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 done, 1 fault of the host, 2 usage, 3 denied or killed, 4 credentials, 5 pending approval, \
                  6 the skill or a case of its tests failed, 7 limit exceeded, 130 interrupted.\n\nBegin with: hall quickstart"
)]
struct Command {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

const HALL_HELP: &str =
    "The hall's folder [default: $SKILLHALL_HOME, else $XDG_DATA_HOME/skillhall, else ~/.local/share/skillhall]";

const TOKEN_HELP: &str =
    "Act by the token in this file and not as the hall's owner [default: $SKILLHALL_TOKEN_FILE, if it is set]";

/// What every verb understands.
#[derive(Args, Clone)]
struct Common {
    /// Print one JSON object (errors too, on stderr)
    #[arg(long, global = true)]
    json: bool,
    /// No narration on stderr
    #[arg(long, short, global = true)]
    quiet: bool,
    #[arg(long, global = true, value_name = "DIR", help = HALL_HELP)]
    hall: Option<std::path::PathBuf>,
    #[arg(long, global = true, value_name = "FILE", help = TOKEN_HELP)]
    token_file: Option<std::path::PathBuf>,
}

fn main() -> ExitCode {
    // A worker never comes back from here.
    skillhall::worker::enter();
    let command = match Command::try_parse() {
        Ok(command) => command,
        Err(error) => return usage(&error),
    };
    let printer = Printer::new(command.common.json, command.common.quiet);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => {
            let place = hall::Place::new(command.common.hall, command.common.token_file);
            let outcome = runtime.block_on(interrupt::or(async move { verbs::run(command.verb, &place, &printer).await }));
            // A guest that is still inside its time slice must not keep the process from ending.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(CommandError::Fault(error.into())),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => {
            printer.error(&error);
            error.exit().into()
        }
    }
}

/// Help and version go to stdout and are no errors; anything else is told in the form that was asked for.
fn usage(error: &clap::Error) -> ExitCode {
    let wants_json = std::env::args_os().any(|argument| argument == "--json");
    if error.use_stderr() && wants_json {
        let message = error.render().to_string();
        let message = message.trim().trim_start_matches("error: ").to_owned();
        Printer::new(true, false).error(&CommandError::usage(message, "hall --help"));
        return Exit::Usage.into();
    }
    let shown = error.print();
    if error.use_stderr() || shown.is_err() { Exit::Usage.into() } else { Exit::Done.into() }
}
