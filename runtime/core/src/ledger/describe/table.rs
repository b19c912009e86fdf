//! The table: what the records of each kind say.

use super::Shape::{Count, Digest, Either, Flag, Id, List, Map, Null, Object, Open, Text, Time, Word};
use super::members::{
    ABOUT, ACTOR, ALTERED, ANSWERED, APPROVAL, APPROVAL_NAMED, ATTESTED, BASIS, BLAST_SCORE, BOUND, BY, CALL, CALLED_BY, CALLER,
    CAPABILITY, CHECKS, CORRELATION, DATA_LABEL, DECIDED, DRY_RUN, EARLY, FILES, GATE_VERSION, HOLDER, NAMESPACE, OF_PACKAGE,
    PLACE, QOS_CLASS, REASON, REGISTRY_VERSION, REQUESTED, REQUESTER, RUNTIME, SKILL, STANDING, TENANT_RISK, THE_KEY, TIER,
    TOKEN, VERSION, WCP_EVENTS, WORKER,
};
use super::{Form, Member};
use crate::ledger::event::EventKind;

/// The forms that records of a kind have.
#[must_use]
pub fn forms(kind: EventKind) -> &'static [Form] {
    match kind {
        EventKind::SkillInit => {
            const {
                &[Form {
                    must: &[ACTOR, PLACE, SKILL, WORKER],
                    data: &[
                        always!("author", Text, "Who stands as the author."),
                        always!("language", Id, "Of which template."),
                        always!("files", List(&Text), "The files that were laid out."),
                    ],
                    ..BY
                }]
            }
        }
        EventKind::SkillBuild => {
            const {
                &[
                    Form {
                        when: "built",
                        data: &[
                            always!("result", Word(&["built"]), "How it went."),
                            always!("adapters", Map(&Digest), "The adapters, by their files."),
                        ],
                        ..OF_PACKAGE
                    },
                    Form {
                        when: "failed",
                        must: &[ACTOR, PLACE, VERSION],
                        data: &[always!("result", Word(&["failed"]), "How it went."), REASON],
                        ..BY
                    },
                ]
            }
        }
        EventKind::SkillAttest => {
            const {
                &[
                    Form {
                        when: "the package is signed",
                        data: &[always!("keys", List(&Id), "The keys that signed.")],
                        ..OF_PACKAGE
                    },
                    Form {
                        when: "the statement enters the registry",
                        data: &[always!("signer", Id, "The key that signed.")],
                        change: Some("statement"),
                        ..OF_PACKAGE
                    },
                    Form {
                        when: "a worker package of WCP is signed",
                        must: &[ACTOR, PLACE, WORKER],
                        hashes: &[always!("package", Digest, "The package, as awp.v1 hashes it.")],
                        data: &[always!("worker_id", Id, "The worker.")],
                        ..BY
                    },
                ]
            }
        }
        EventKind::SkillCertify => {
            const {
                &[Form {
                    data: &[
                        always!("checks", CHECKS, "What was looked at."),
                        always!("certification", Id, "The certification's id."),
                        always!("signer", Id, "The certifier's key."),
                        always!("expires_at", Time, "From when on it counts no longer."),
                    ],
                    change: Some("statement"),
                    ..OF_PACKAGE
                }]
            }
        }
        EventKind::SkillPublish => {
            const {
                &[Form {
                    data: &[
                        always!("package_hash", Digest, "The package, as awp.v1 hashes it."),
                        always!("adapters", Map(&Digest), "The adapters, by their files."),
                        always!(
                            "attestation",
                            Object(&[
                                always!("hmac", ATTESTED, "The awp.v1 form."),
                                always!("ed25519", ATTESTED, "The DSSE form."),
                                always!("required", Either(&[Word(&["hmac", "ed25519", "both"]), Null]), "What was required."),
                            ]),
                            "How it was attested.",
                        ),
                        always!("status", Word(&["active"]), "How it stands."),
                    ],
                    change: Some("publish"),
                    ..OF_PACKAGE
                }]
            }
        }
        EventKind::SkillInstall => {
            const {
                &[Form {
                    data: &[
                        sometimes!("powers", List(&Text), "What it asks for, each power as a line."),
                        sometimes!(
                            "accepted_powers",
                            Object(&[
                                always!("digest", Digest, "Of the difference."),
                                always!("from", Id, "The version before."),
                                always!("added", List(&Text), "What is new."),
                                always!("removed", List(&Text), "What is gone."),
                            ]),
                            "The difference to the version before that was accepted.",
                        ),
                    ],
                    ..OF_PACKAGE
                }]
            }
        }
        EventKind::SkillUninstall => const { &[OF_PACKAGE] },
        EventKind::SkillVerify => {
            const { &[Form { data: &[DRY_RUN, sometimes!("correlation_id", Id, "Of the call that was tried.")], ..OF_PACKAGE }] }
        }
        EventKind::SkillExecute => {
            const {
                &[
                    Form {
                        when: "allowed",
                        decision: Some("ALLOW"),
                        must: &[CALL, CALLER, DECIDED],
                        may: &[],
                        hashes: &[
                            always!("manifest", Digest, "skill.json of what runs."),
                            always!("component", Digest, "The component that runs."),
                            always!("package", Digest, "The package, as WCP counts it."),
                            always!("input", Digest, "The input, in canonical form."),
                            always!("policy", Digest, "The configuration and the rules in force."),
                        ],
                        data: &[
                            always!("certification", Id, "The certification on which it was let in."),
                            always!("attested_by", List(&Id), "The keys whose attestations held."),
                            always!("grants", List(&Text), "What is granted beyond the base, each power as a line."),
                            always!("registry_version", Count, "The version of the registry that answered."),
                            always!("tier", Count, "The policy tier in force."),
                            always!("blast_score", Count, "WCP's blast score."),
                            always!("wcp_events", List(&Open), "WCP's telemetry of the decision."),
                            GATE_VERSION,
                            sometimes!(
                                "approval",
                                Object(&[
                                    always!("id", Id, "Its id."),
                                    always!("by", Id, "Who said yes."),
                                    always!("key", Id, "The key with which that is signed."),
                                    always!("own", Flag, "Whether that is the one who called."),
                                ]),
                                "The approval that was used up.",
                            ),
                            sometimes!(
                                "isolation",
                                Word(&["process"]),
                                "Where the guest runs, if not in the host's own process."
                            ),
                            DATA_LABEL,
                            TENANT_RISK,
                            QOS_CLASS,
                            CAPABILITY,
                            always!("basis", BASIS, "What the decision was taken from, so that it can be taken again."),
                            ALTERED,
                            APPROVAL_NAMED,
                            CALLED_BY,
                            REQUESTED,
                        ],
                        change: None,
                    },
                    Form {
                        when: "denied",
                        decision: Some("DENY"),
                        must: &[CALL, &["code"]],
                        may: &[CALLER, DECIDED],
                        hashes: &[
                            sometimes!("manifest", Digest, "skill.json of what was refused, from gate 5 on."),
                            sometimes!("component", Digest, "The component of what was refused, from gate 5 on."),
                            sometimes!("package", Digest, "The package, as WCP counts it, from gate 5 on."),
                            always!("input", Digest, "The input, in canonical form."),
                            sometimes!(
                                "policy",
                                Digest,
                                "The configuration and the rules in force, if it came to WCP's decision.",
                            ),
                        ],
                        data: &[
                            REGISTRY_VERSION,
                            TIER,
                            BLAST_SCORE,
                            WCP_EVENTS,
                            GATE_VERSION,
                            DATA_LABEL,
                            TENANT_RISK,
                            QOS_CLASS,
                            CAPABILITY,
                            sometimes!("attested_by", List(&Id), "The keys whose attestations held, from gate 5 on."),
                            sometimes!("basis", BASIS, "What it was judged by, from gate 5 on."),
                            ALTERED,
                            APPROVAL_NAMED,
                            CALLED_BY,
                            REQUESTED,
                            DRY_RUN,
                        ],
                        change: None,
                    },
                ]
            }
        }
        EventKind::SkillDeny => {
            const {
                &[Form {
                    must: &[&["code", "host"]],
                    may: &[&["decision_id", "correlation_id", "skill", "version", "worker"], CALLER, DECIDED],
                    hashes: &[
                        sometimes!("manifest", Digest, "skill.json of what was refused."),
                        sometimes!("component", Digest, "The component of what was refused."),
                    ],
                    data: &[
                        always!("stage", Id, "The gate or verb that refused."),
                        always!("message", Text, "What was found."),
                        sometimes!("details", Open, "The facts of the case, by the code."),
                        CALLED_BY,
                        DRY_RUN,
                    ],
                    ..BY
                }]
            }
        }
        EventKind::SkillComplete => {
            const {
                &[Form {
                    when: "",
                    decision: None,
                    must: &[CALL, CALLER, DECIDED, &["end", "duration_us"]],
                    may: &[&["failure", "resources"]],
                    hashes: &[
                        always!("manifest", Digest, "skill.json of what ran."),
                        always!("component", Digest, "The component that ran."),
                        sometimes!("output", Digest, "The result, in canonical form, if it was done."),
                    ],
                    data: &[
                        always!("decision_record", Count, "The sequence of the record that allowed it."),
                        sometimes!("reason", Text, "Why it was given up."),
                        sometimes!("rejected_code", List(&Text), "Cached code that was refused, with the reasons."),
                        sometimes!(
                            "http",
                            List(&Object(&[
                                always!("origin", Text, "Scheme, host and port."),
                                always!("requests", Count, "How many requests."),
                                always!("refused", Count, "How many of them were refused."),
                            ])),
                            "To which origins it wanted to send requests.",
                        ),
                        sometimes!(
                            "sockets",
                            List(&Object(&[
                                always!("address", Text, "Protocol, address and port."),
                                always!("used", Count, "How often it was reached."),
                                always!("refused", Count, "How often that was refused."),
                            ])),
                            "Which addresses its sockets were to reach.",
                        ),
                        sometimes!(
                            "calls",
                            List(&Object(&[
                                always!("skill", Text, "The skill."),
                                sometimes!("manifest_hash", Digest, "skill.json of that version."),
                                always!("tool", Text, "The tool."),
                                sometimes!("decision_id", Id, "The decision about it."),
                                always!("outcome", Text, "done, unfinished, a code, or the word of a refusal."),
                                always!("wall_us", Count, "How long it was waited for, in microseconds."),
                            ])),
                            "Which skills it called, or wanted to.",
                        ),
                    ],
                    change: None,
                }]
            }
        }
        EventKind::StandingRevoke | EventKind::StandingBan | EventKind::StandingDegrade | EventKind::StandingRestore => STANDING,
        EventKind::ApprovalPending => {
            const {
                &[Form {
                    must: &[ACTOR, PLACE, CORRELATION, &["decision_id", "skill", "version"]],
                    may: &[],
                    data: &[APPROVAL, REASON, always!("expires_at", Time, "Until when somebody may answer.")],
                    change: Some("approval"),
                    ..BY
                }]
            }
        }
        EventKind::ApprovalApproved | EventKind::ApprovalRejected => ANSWERED,
        EventKind::ApprovalExpired => {
            const {
                &[Form {
                    must: &[ACTOR, PLACE, SKILL, &["version"]],
                    hashes: BOUND,
                    data: &[APPROVAL, REQUESTER],
                    change: Some("approval"),
                    ..BY
                }]
            }
        }
        EventKind::ApprovalUsed => {
            const {
                &[Form {
                    must: &[CALL, CALLER, DECIDED],
                    may: &[],
                    hashes: &[
                        always!("manifest", Digest, "skill.json of what runs."),
                        always!("component", Digest, "The component that runs."),
                        always!("package", Digest, "The package, as WCP counts it."),
                        always!("input", Digest, "The input, in canonical form."),
                        always!("policy", Digest, "The configuration and the rules in force."),
                    ],
                    data: &[APPROVAL, always!("by", Id, "Who said yes.")],
                    change: Some("approval"),
                    ..BY
                }]
            }
        }
        EventKind::KeyAdd => {
            const {
                &[Form {
                    data: &[THE_KEY, NAMESPACE, sometimes!("holder", Id, "Whose key it is, if it is an approver's.")],
                    ..EARLY
                }]
            }
        }
        EventKind::KeyRetire => const { &[Form { data: &[THE_KEY, NAMESPACE], ..BY }] },
        EventKind::KeyRevoke => const { &[Form { data: &[THE_KEY, NAMESPACE, REASON], ..BY }] },
        EventKind::RoleGrant | EventKind::RoleRemove => {
            const { &[Form { data: &[ABOUT, HOLDER, always!("role", Id, "Which role."), NAMESPACE], change: Some("role"), ..BY }] }
        }
        EventKind::TokenIssue => {
            const {
                &[Form {
                    data: &[
                        ABOUT,
                        HOLDER,
                        TOKEN,
                        always!("roles", List(&Id), "The roles that can be used by it."),
                        always!("expires_at", Time, "From when on it counts no longer."),
                    ],
                    change: Some("token"),
                    ..BY
                }]
            }
        }
        EventKind::TokenRevoke => const { &[Form { data: &[ABOUT, HOLDER, TOKEN, REASON], change: Some("token"), ..BY }] },
        EventKind::OrgRegister => {
            const {
                &[Form {
                    data: &[sometimes!("about", Id, "Which organisation, if not the one that runs the hall.")],
                    change: Some("organisation"),
                    ..EARLY
                }]
            }
        }
        EventKind::OrgSuspend | EventKind::OrgReinstate | EventKind::OrgOffboard => {
            const { &[Form { data: &[ABOUT, REASON], change: Some("organisation"), ..BY }] }
        }
        EventKind::NamespaceRegister => {
            const {
                &[Form {
                    data: &[
                        NAMESPACE,
                        sometimes!("about", Id, "Its owner, or who may call into it or no longer may."),
                        sometimes!("min_tier", Count, "The least policy tier of its skills."),
                        sometimes!("allowed", Flag, "Whether that organisation may call into it from now on."),
                    ],
                    change: Some("namespace"),
                    ..EARLY
                }]
            }
        }
        EventKind::WorkerRegister => const { &[Form { must: &[ACTOR, PLACE, WORKER], ..BY }] },
        EventKind::WorkerEnroll => {
            const {
                &[Form {
                    hashes: &[sometimes!("policy", Digest, "The configuration that was put in force with it.")],
                    data: &[FILES, RUNTIME, sometimes!("reason", Text, "What the configuration was changed for.")],
                    change: Some("host"),
                    ..EARLY
                }]
            }
        }
        EventKind::WorkerRevoke => const { &[Form { change: Some("host"), ..BY }] },
        EventKind::PolicyGrant => {
            const {
                &[Form {
                    must: &[ACTOR, PLACE, SKILL],
                    hashes: &[always!("policy", Digest, "The configuration that is in force with it.")],
                    data: &[
                        always!("before", Open, "What it was granted before, as hall.toml says it."),
                        always!("after", Open, "What it is granted now."),
                        FILES,
                        RUNTIME,
                    ],
                    change: Some("host"),
                    ..BY
                }]
            }
        }
        EventKind::StoreClear => {
            const {
                &[Form {
                    must: &[ACTOR, PLACE, SKILL],
                    data: &[always!(
                        "stores",
                        List(&Object(&[
                            always!("organisation", Id, "For whom it was kept."),
                            always!("store", Id, "Under which name."),
                            always!("bytes", Count, "How many bytes it held."),
                            always!("entries", Count, "How many entries it held."),
                        ])),
                        "What was deleted.",
                    )],
                    ..BY
                }]
            }
        }
        EventKind::RegistryOpen => const { &[Form { must: &[], may: &[], ..BY }] },
        EventKind::RegistryVoid => {
            const {
                &[Form {
                    must: &[],
                    may: &[],
                    data: &[
                        always!("intent", Count, "The sequence of the record that announced the change."),
                        always!("digest", Digest, "Of the change, in canonical form."),
                        REASON,
                    ],
                    ..BY
                }]
            }
        }
        EventKind::LedgerRecover => {
            const {
                &[Form {
                    must: &[],
                    may: &[],
                    data: &[
                        always!("bytes", Count, "How many bytes were cut off."),
                        always!("record", Count, "The sequence that the first of them would have had."),
                    ],
                    ..BY
                }]
            }
        }
    }
}
