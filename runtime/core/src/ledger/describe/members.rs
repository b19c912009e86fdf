//! Members and beginnings that several kinds of records have.

use super::Shape::{Count, Digest, Either, Flag, Id, List, Map, Null, Object, One, Open, Text, Time, Word};
use super::{Form, Member, Shape};

/// What the members mean that any kind may have. A name that is none has no meaning.
#[must_use]
pub fn common(name: &str) -> Member {
    COMMON.iter().find(|member| member.name == name).copied().unwrap_or(always!("", Null, ""))
}

/// Members that `data` of any kind may have.
pub const ANY_DATA: &[Member] =
    &[sometimes!("as", Id, "By what right whoever acted did so: owner, token:ID, or program, which vouched for them.")];

/// Members that any kind may have.
pub(super) const COMMON: &[Member] = &[
    always!("sequence", Count, "The record's place in the ledger, from 0."),
    always!("time", Time, "When it happened."),
    always!("decision_id", Id, "The decision it belongs to."),
    always!("correlation_id", Id, "What ties the records of one undertaking together."),
    always!("organisation", Id, "The caller's organisation."),
    always!("caller", Id, "Who called or acted."),
    always!("skill", Id, "Which skill, as NAMESPACE/NAME."),
    always!("version", Id, "In which version."),
    always!("adapter", Id, "Through which adapter."),
    always!("tool", Id, "Which tool of the skill."),
    always!("matched_rule", Id, "The rule that matched, or NO_MATCH."),
    always!("policy_version", Id, "The version of the policy that decided."),
    always!("code", Id, "The deny code."),
    always!("worker", Id, "The skill as a worker of WCP: its species."),
    always!("host", Id, "The host."),
    always!("end", Word(&["done", "failed", "killed", "cancelled"]), "How it ended."),
    always!("failure", Id, "How it failed."),
    always!("duration_us", Count, "How long it took, in microseconds."),
    always!("resources", Object(RESOURCES), "What it used, each figure with its limit; absent if it never began."),
];

/// Who acts in a hall.
pub(super) const ACTOR: &[&str] = &["organisation", "caller"];
/// Where, and through what.
pub(super) const PLACE: &[&str] = &["host", "adapter"];
pub(super) const CORRELATION: &[&str] = &["correlation_id"];
/// A skill in a version, as a worker.
pub(super) const VERSION: &[&str] = &["skill", "version", "worker"];
pub(super) const SKILL: &[&str] = &["skill"];
pub(super) const WORKER: &[&str] = &["worker"];
/// A call, whoever calls.
pub(super) const CALL: &[&str] = &["decision_id", "correlation_id", "skill", "version", "worker", "host"];
/// The decision about it.
pub(super) const DECIDED: &[&str] = &["matched_rule", "policy_version"];
/// Who calls and what, where that is known.
pub(super) const CALLER: &[&str] = &["organisation", "caller", "adapter", "tool"];

pub(super) const PACKAGE: &[Member] =
    &[always!("manifest", Digest, "skill.json."), always!("component", Digest, "The component.")];

pub(super) const BOUND: &[Member] = &[
    sometimes!("manifest", Digest, "skill.json of what would run."),
    sometimes!("input", Digest, "The input that it would run with, in canonical form."),
    sometimes!("policy", Digest, "The configuration and the rules under which it was asked."),
];

pub(super) const KEY: &[Member] = &[
    always!("id", Id, "Its id."),
    always!("algorithm", Word(&["hmac-sha256", "ed25519"]), "How it signs."),
    always!("purpose", Word(&["attest", "certify", "ledger", "approve"]), "What it may sign."),
    sometimes!("public", Digest, "Its public half, if it has one."),
    always!("valid_from", Time, "From when on it counts."),
    sometimes!("valid_to", Time, "From when on it counts no longer."),
    sometimes!("revoked_at", Time, "When it was revoked."),
];

pub(super) const TARGET: &[Member] = &[
    sometimes!("hash", Digest, "Whatever has this hash."),
    sometimes!("skill", Id, "A skill in every version."),
    sometimes!("version", Id, "A skill in one version."),
    sometimes!("namespace", Id, "A namespace."),
    sometimes!("key", Id, "Whatever a key vouches for."),
    sometimes!(
        "adapter",
        Object(&[always!("skill", Id, "The skill."), always!("adapter", Id, "The adapter.")]),
        "An adapter of a skill.",
    ),
    sometimes!("certification", Id, "A certification."),
    sometimes!("worker", Id, "A worker of WCP, by its id or its species."),
];

pub(super) const SCOPE: Shape =
    Either(&[Word(&["global"]), One(&[sometimes!("organisation", Id, "For callers of this organisation.")])]);

pub(super) const LINK: Shape =
    Object(&[always!("skill", Id, "The skill that called."), always!("decision_id", Id, "The decision by which it runs.")]);

pub(super) const ATTESTED: Shape = Either(&[
    Word(&["absent"]),
    One(&[
        sometimes!("verified", Object(&[always!("key", Id, "The key that signed.")]), "It is there and good."),
        sometimes!(
            "not-required-unchecked",
            Object(&[always!("reason", Text, "Why not.")]),
            "No key could judge it, and it is not required.",
        ),
    ]),
]);

pub(super) const USED: Shape = Object(&[always!("used", Count, "What was used."), always!("allowed", Count, "The limit.")]);

pub(super) const RESOURCES: &[Member] = &[
    always!("wall_us", USED, "Wall clock in microseconds."),
    sometimes!("fuel", USED, "Units of fuel, where fuel is counted."),
    always!("memory_peak_bytes", USED, "The most bytes of memories and tables together."),
    sometimes!("memories", USED, "Memories of the component."),
    sometimes!("tables", USED, "Tables of the component."),
    always!("value_depth", USED, "The deepest nesting of a value."),
    always!("value_elements", USED, "The most elements of a value."),
    always!("output_bytes", USED, "Bytes of result or error value, streams and log."),
    always!("input_bytes", USED, "Bytes of the input as JSON."),
    always!("host_calls", USED, "Calls of host functions."),
    always!("host_call_bytes", USED, "Bytes that host calls moved."),
    sometimes!("file_opens", USED, "Files and folders that were opened or made."),
    sometimes!("file_bytes", USED, "Bytes written into files, and by which they were made longer without."),
    sometimes!("sockets", USED, "Sockets that were made."),
    sometimes!("http_requests", USED, "Requests to the network."),
    sometimes!("http_bytes", USED, "Bytes to and from the network."),
    sometimes!("tool_calls", USED, "Calls of other skills."),
    sometimes!("keyvalue_bytes", USED, "Bytes that its stores hold."),
    sometimes!("keyvalue_entries", USED, "Entries that its stores hold."),
];

pub(super) const CHECKS: Shape = List(&Object(&[
    always!("name", Id, "Which check."),
    always!("ok", Flag, "Whether it passed."),
    always!("message", Text, "What was found."),
]));

pub(super) const DRY_RUN: Member = sometimes!("dry_run", Flag, "True if nothing was to run.");
pub(super) const CALLED_BY: Member =
    sometimes!("called_by", List(&LINK), "The calls of skills by which it came about, the outermost first.");
pub(super) const APPROVAL_NAMED: Member = sometimes!("approval_named", Id, "The approval that the caller named.");
pub(super) const DATA_LABEL: Member =
    always!("data_label", Word(&["PUBLIC", "INTERNAL", "RESTRICTED"]), "How delicate the caller said the data is.");
pub(super) const TENANT_RISK: Member =
    always!("tenant_risk", Word(&["low", "medium", "high"]), "How risky the caller said the tenant is.");
pub(super) const QOS_CLASS: Member =
    always!("qos_class", Word(&["P0", "P1", "P2", "P3"]), "How urgent the caller said the call is.");
pub(super) const CAPABILITY: Member = sometimes!("capability", Id, "The capability that the caller named.");
pub(super) const ALTERED: Member = sometimes!(
    "altered",
    List(&Word(&["correlation_id", "caller", "basis"])),
    "What stands here otherwise than it was judged, since a record cannot hold it as it was.",
);
pub(super) const BASIS: Shape = Object(&[
    always!("provides", List(&Id), "The capabilities that the skill provides."),
    always!("effects", List(&Id), "What the tool does to the world."),
    always!("asks", Open, "The powers that the skill asks for, as in skill.json."),
    always!(
        "tiers",
        Object(&[
            always!("manifest", Count, "What the manifest asks for."),
            always!("certification", Count, "What the certification asks for."),
            always!("namespace", Count, "The floor of the namespace."),
        ]),
        "Policy tiers, but the host's own.",
    ),
    always!("gates", List(&Word(&["cedar", "command", "http", "embedded"])), "Who is asked where a rule requires a policy gate."),
]);
pub(super) const REQUESTED: Member = sometimes!("requested", Id, "What the caller named, if it was no exact version.");
pub(super) const REGISTRY_VERSION: Member = sometimes!("registry_version", Count, "The version of the registry that answered.");
pub(super) const TIER: Member = sometimes!("tier", Count, "The policy tier in force.");
pub(super) const BLAST_SCORE: Member = sometimes!("blast_score", Count, "WCP's blast score.");
pub(super) const WCP_EVENTS: Member = sometimes!("wcp_events", List(&Open), "WCP's telemetry of the decision.");
pub(super) const GATE_VERSION: Member = sometimes!("gate_policy_version", Id, "The policy version that the policy gate named.");

pub(super) const APPROVAL: Member = always!("approval", Id, "The approval's id.");
pub(super) const REQUESTER: Member = always!("requester", Id, "Who called.");
pub(super) const REASON: Member = always!("reason", Text, "Why.");
pub(super) const FILES: Member = always!("files", Map(&Digest), "SHA-256 of each file of the configuration, by its name.");
pub(super) const RUNTIME: Member = always!("runtime", Id, "The version of this runtime.");
pub(super) const ABOUT: Member = always!("about", Id, "Which organisation.");
pub(super) const HOLDER: Member = always!("holder", Id, "Whose: a name in that organisation.");
pub(super) const TOKEN: Member = always!("token", Id, "The token's id.");
pub(super) const NAMESPACE: Member = sometimes!("namespace", Id, "The namespace.");
pub(super) const THE_KEY: Member = always!("key", Object(KEY), "The key, without its secret.");

/// A form with nothing but who acted and where; others are made from it.
pub(super) const BY: Form =
    Form { when: "", decision: None, must: &[ACTOR, PLACE], may: &[CORRELATION], hashes: &[], data: &[], change: None };

/// As [`BY`], of what also happens while the hall is set up, when it has no host and adapter yet.
pub(super) const EARLY: Form = Form { must: &[ACTOR], may: &[PLACE, CORRELATION], ..BY };

/// As [`BY`], about a package.
pub(super) const OF_PACKAGE: Form = Form { must: &[ACTOR, PLACE, VERSION], hashes: PACKAGE, ..BY };

pub(super) const STANDING: &[Form] = &[Form {
    data: &[always!("target", One(TARGET), "About what."), always!("scope", SCOPE, "For whose callers."), REASON],
    change: Some("standing"),
    ..BY
}];

pub(super) const ANSWERED: &[Form] = &[Form {
    must: &[ACTOR, PLACE, SKILL, &["version"]],
    hashes: BOUND,
    data: &[
        APPROVAL,
        REQUESTER,
        REASON,
        always!("key", Id, "The key with which the answer is signed."),
        always!("own", Flag, "Whether the one who called is the one who said yes."),
    ],
    change: Some("approval"),
    ..BY
}];
