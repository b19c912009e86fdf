//! One file for each verb.

mod adapters;
mod approvals;
mod attest;
mod audit;
mod bindings;
pub(crate) mod build;
mod certify;
mod completions;
mod connect;
mod decide;
mod dev;
pub(crate) mod doctor;
mod explain;
mod grant;
mod init;
mod inspect;
mod install;
mod keys;
mod list;
mod man;
mod mcp;
mod namespace;
mod org;
mod policy;
mod publish;
mod quickstart;
mod role;
mod run;
pub(crate) mod schema;
mod search;
pub(crate) mod setup;
mod standing;
mod store;
mod test;
mod token;
mod uninstall;
mod update;
mod usage;
mod verify;
mod wcp;
mod worker;

use clap::Subcommand;

use crate::error::Outcome;
use crate::exit::Exit;
use crate::hall::Place;
use crate::printer::Printer;

/// What can be asked of a hall.
#[derive(Subcommand)]
pub(crate) enum Verb {
    Quickstart(quickstart::Arguments),
    Setup(setup::Arguments),
    Init(init::Arguments),
    Build(build::Arguments),
    Test(test::Arguments),
    Dev(dev::Arguments),
    Attest(attest::Arguments),
    Bindings(bindings::Arguments),
    Certify(certify::Arguments),
    Publish(publish::Arguments),
    Install(install::Arguments),
    Run(run::Arguments),
    Mcp(mcp::Arguments),
    Connect(connect::Arguments),
    Adapters(adapters::Arguments),
    List(list::Arguments),
    Search(search::Arguments),
    Update(update::Arguments),
    Uninstall(uninstall::Arguments),
    Verify(verify::Arguments),
    Inspect(inspect::Arguments),
    Grant(grant::Arguments),
    Policy(policy::Arguments),
    Store(store::Arguments),
    Decide(decide::Arguments),
    Wcp(wcp::Arguments),
    Revoke(standing::RevokeArguments),
    Ban(standing::BanArguments),
    Degrade(standing::DegradeArguments),
    Restore(standing::RestoreArguments),
    Approvals(approvals::Arguments),
    Org(org::Arguments),
    Namespace(namespace::Arguments),
    Role(role::Arguments),
    Token(token::Arguments),
    Audit(audit::Arguments),
    Usage(usage::Arguments),
    Keys(keys::Arguments),
    Worker(worker::Arguments),
    Doctor(doctor::Arguments),
    Explain(explain::Arguments),
    Schema(schema::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// Does what was asked.
pub(crate) async fn run(verb: Verb, place: &Place, printer: &Printer) -> Outcome {
    match verb {
        Verb::Quickstart(arguments) => quickstart::run(arguments, printer).await?,
        Verb::Setup(arguments) => setup::run(arguments, place, printer)?,
        Verb::Init(arguments) => init::run(&arguments, place, printer)?,
        Verb::Build(arguments) => build::run(&arguments, place, printer)?,
        Verb::Bindings(arguments) => bindings::run(&arguments, printer)?,
        Verb::Test(arguments) => return test::run(&arguments, printer).await,
        Verb::Dev(arguments) => return dev::run(&arguments, place, printer).await,
        Verb::Attest(arguments) => attest::run(&arguments, place, printer)?,
        Verb::Certify(arguments) => certify::run(&arguments, place, printer)?,
        Verb::Publish(arguments) => publish::run(&arguments, place, printer)?,
        Verb::Install(arguments) => install::run(&arguments, place, printer)?,
        Verb::Run(arguments) => return run::run(&arguments, place, printer).await,
        Verb::Mcp(arguments) => return mcp::run(arguments, place, *printer).await,
        Verb::Connect(arguments) => connect::run(&arguments, place, printer)?,
        Verb::Adapters(arguments) => adapters::run(&arguments, place, printer)?,
        Verb::List(arguments) => list::run(&arguments, place, printer)?,
        Verb::Search(arguments) => search::run(&arguments, place, printer)?,
        Verb::Update(arguments) => update::run(&arguments, place, printer)?,
        Verb::Uninstall(arguments) => uninstall::run(&arguments, place, printer)?,
        Verb::Verify(arguments) => verify::run(&arguments, place, printer)?,
        Verb::Inspect(arguments) => inspect::run(&arguments, place, printer)?,
        Verb::Grant(arguments) => grant::run(&arguments, place, printer)?,
        Verb::Policy(arguments) => return policy::run(&arguments, place, printer),
        Verb::Store(arguments) => store::run(&arguments, place, printer)?,
        Verb::Decide(arguments) => decide::run_verb(&arguments, printer)?,
        Verb::Wcp(arguments) => return wcp::run(&arguments, printer),
        Verb::Revoke(arguments) => standing::revoke(&arguments, place, printer)?,
        Verb::Ban(arguments) => standing::ban(&arguments, place, printer)?,
        Verb::Degrade(arguments) => standing::degrade(&arguments, place, printer)?,
        Verb::Restore(arguments) => standing::restore(&arguments, place, printer)?,
        Verb::Approvals(arguments) => approvals::run(&arguments, place, printer).await?,
        Verb::Org(arguments) => org::run(&arguments, place, printer)?,
        Verb::Namespace(arguments) => namespace::run(&arguments, place, printer)?,
        Verb::Role(arguments) => role::run(&arguments, place, printer)?,
        Verb::Token(arguments) => token::run(&arguments, place, printer)?,
        Verb::Audit(arguments) => audit::run(&arguments, place, printer)?,
        Verb::Usage(arguments) => usage::run(&arguments, place, printer)?,
        Verb::Keys(arguments) => keys::run(&arguments, place, printer)?,
        Verb::Worker(arguments) => worker::run(&arguments, place, printer)?,
        Verb::Doctor(arguments) => return doctor::run(&arguments, place, printer).await,
        Verb::Explain(arguments) => explain::run(&arguments, printer)?,
        Verb::Schema(arguments) => schema::run(&arguments, printer)?,
        Verb::Completions(arguments) => completions::run(&arguments, printer)?,
        Verb::Man(arguments) => man::run(&arguments, printer)?,
    }
    Ok(Exit::Done)
}
