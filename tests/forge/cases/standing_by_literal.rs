//! A standing written down instead of earned.

use skillhall_tests::skillhall_core::registry::standing::Standing;

pub fn forge(
    snapshot: skillhall_tests::skillhall_core::registry::Snapshot,
    query: skillhall_tests::skillhall_core::registry::StandingQuery,
    published: skillhall_tests::skillhall_core::registry::Published,
) -> Standing {
    Standing {
        query,
        version: snapshot.version,
        published,
        statements: snapshot.statements,
        marks: Vec::new(),
        namespace: snapshot.namespace,
        organisation: snapshot.organisation,
        host: snapshot.host,
        approval: snapshot.approval,
        credential: snapshot.credential,
    }
}

fn main() {}
