//! Workers of WCP that are no skills, attested and verified.

use super::*;

/// An awp.v1 vector of WCP's reference, laid out as a folder.
fn worker(desk: &Desk, name: &str) -> (Value, String) {
    let vector: Value = serde_json::from_str(&text(&repository(&format!("fixtures/vectors/awp/{name}.json")))).expect("a vector");
    let folder = desk.0.path().join(name);
    for group in ["files_b64", "ignored_files_b64"] {
        for (path, bytes) in vector[group].as_object().into_iter().flatten() {
            let bytes = base64::engine::general_purpose::STANDARD.decode(text_of(bytes)).expect("base64");
            put(&folder.join(path), &bytes);
        }
    }
    (vector, folder.display().to_string())
}

#[test]
fn workers_are_attested_byte_for_byte_as_by_the_reference() {
    let desk = Desk::new();
    // The third vector has a NUL in an argument, which no command line can carry; the core holds it.
    for name in ["attest-1-basic", "attest-2-ordering-exclusions"] {
        let (vector, folder) = worker(&desk, name);
        let input = |key: &str| text_of(&vector["inputs"][key]).to_owned();
        let (id, species, version, source) =
            (input("worker_id"), input("worker_species_id"), input("worker_version"), input("build_source"));
        let secret = text_of(&vector["secret"]);
        let attest = [
            "worker",
            "attest",
            &folder,
            "--id",
            &id,
            "--species",
            &species,
            "--worker-version",
            &version,
            "--build-source",
            &source,
            "--at",
            text_of(&vector["fixed_clock"]),
            "--json",
        ];
        let with = |arguments: &[&str]| finish(command(&desk.home(), arguments).env("WCP_ATTEST_HMAC_KEY", secret));
        let told = desk.added(|| assert_eq!(with(&attest).object()["worker_id"], json!(id)));
        assert_eq!(told, ["skill.attest"]);
        let expected = unhex(text_of(&vector["expected"]["manifest_file_hex"])).expect("hexadecimal");
        assert_eq!(std::fs::read(Path::new(&folder).join("manifest.json")).expect("it is written"), expected, "{name}");

        let verify = ["worker", "verify", &folder, "--id", &id, "--species", &species, "--json"];
        assert_eq!(with(&verify).object()["ok"], true);
        // The verbs for skills take it, too.
        let verify_it = ["verify", &folder, "--worker", &id, "--species", &species, "--json"];
        assert_eq!(with(&verify_it).object()["ok"], true);
        let attest_it = ["attest", &folder, "--worker", &id, "--species", &species, "--builder", "ci", "--json"];
        assert_eq!(with(&attest_it).error(2)["kind"], "usage");
        let versioned = [&attest_it[..], &["--worker-version", "9.0.0"]].concat();
        assert_eq!(with(&versioned).object()["worker_id"], json!(id));
        assert_eq!(with(&verify_it).object()["ok"], true);
        assert_ne!(std::fs::read(Path::new(&folder).join("manifest.json")).expect("it is written"), expected, "{name}");
        let _ = with(&attest).object();
        // A ban of the worker, by either id.
        for banned in [species.clone(), format!("worker:{id}")] {
            desk.hall(&["ban", &banned, "--reason", "a test", "--json"]).object();
            assert_eq!(with(&verify).error(3)["code"], "DENY_SKILL_BANNED", "{banned}");
            assert_eq!(with(&verify_it).error(3)["code"], "DENY_SKILL_BANNED", "{banned}");
            desk.hall(&["restore", &banned, "--reason", "a test", "--json"]).object();
            assert_eq!(with(&verify).object()["ok"], true);
        }
        assert_eq!(desk.hall(&verify).error(3)["code"], "ATTEST_SIGNATURE_MISSING");
        put(&Path::new(&folder).join("one-more-file"), b"x");
        let denied = desk.added(|| assert_eq!(with(&verify).error(3)["code"], "ATTEST_HASH_MISMATCH"));
        assert_eq!(denied, ["skill.deny"]);
        assert_eq!(desk.hall(&attest).error(4)["kind"], "credentials");
    }
}
