//! The package's own files under `/assets`: no grant is needed, what is read is what was certified, and nothing leads out or in.
//! The guest is `tests/guests/bodies/files.wat`, whose first folder they are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use skillhall::hall::{Hall, Receipt};
use skillhall_core::denial::Code;
use skillhall_core::package::{Package, build, source};
use skillhall_tests::command::{Run, hall};
use skillhall_tests::files::{below, put, repository, text};
use skillhall_tests::skills::{component, source_of, write_source};
use skillhall_tests::world::{World, call, install, run};

const SKILL: &str = "org.skillhall/words";
const DONE: u64 = 1000;
/// The place of `not-permitted` among the error codes of `wasi:filesystem`.
const NOT_PERMITTED: u64 = 31;

fn toml(capabilities: &str) -> String {
    source_of("words", &format!("[capabilities]\nfiles = [{capabilities}]\n"))
}

fn with(toml: &str, assets: &[(&str, &str)]) -> Result<Package, skillhall_core::denial::Denial> {
    let source = source::parse(toml).expect("the skill.toml is right");
    let body = component(&text(&repository("tests/guests/bodies/files.wat")));
    let assets = assets.iter().map(|(path, text)| (format!("assets/{path}"), text.as_bytes().to_vec())).collect();
    build::assemble(&source, body, None, BTreeMap::new(), assets)
}

const ASSETS: [(&str, &str); 3] = [("de.txt", "Haus"), ("deep/er/en.txt", "house"), ("deep/fr.txt", "maison")];

fn words() -> Package {
    with(&toml("{ mount = \"/assets\", access = \"read\" }"), &ASSETS).expect("the skill is built")
}

/// What somebody does to a folder.
type Touch<'a> = &'a dyn Fn(&Path);

struct Desk(World);

impl Desk {
    fn new() -> Self {
        let desk = Self(World::bare());
        install(&desk.0.open(), &words());
        desk
    }

    /// The command is another executable than the test.
    fn enroll(&self) {
        self.hall(&["setup", "--enroll", "--json"]).object();
    }

    fn hall(&self, arguments: &[&str]) -> Run {
        hall(&self.0.home(), arguments)
    }

    fn command(&self, tool: &str, path: &str) -> Value {
        let input = json!({ "path": path, "other": "" }).to_string();
        self.hall(&["run", SKILL, "--tool", tool, "--input", &input, "--json"]).object()
    }

    /// Where packages' assets are laid out.
    fn place(&self) -> PathBuf {
        self.0.home().join("assets")
    }
}

fn ask(hall: &Hall, tool: &str, path: &str, other: &str) -> Receipt {
    let mut call = call(&format!("{SKILL}@1.0.0"), &json!({ "path": path, "other": other }).to_string());
    call.tool = Some(tool.parse().expect("a tool"));
    run(hall, call).expect("it is admitted")
}

fn output(receipt: Receipt) -> Value {
    receipt.into_output().unwrap_or_else(|why| panic!("{why:?}"))
}

#[test]
fn assets_are_read_without_a_grant_and_are_never_changed() {
    let desk = Desk::new();
    desk.enroll();
    for mode in ["none", "process"] {
        let path = desk.0.home().join("hall.toml");
        let kept = text(&path);
        put(
            &path,
            format!("{}\n[isolation]\nown = \"{mode}\"\n", kept.split("\n[isolation]").next().expect("a part")).as_bytes(),
        );
        desk.enroll();
        for (path, said) in ASSETS {
            let receipt = desk.command("text", path);
            assert_eq!(receipt["output"], *said, "{mode}");
            assert_eq!(receipt["grants"], json!(["files: /assets (read) is the package's own"]), "{mode}");
            assert_eq!(receipt["resources"]["file_opens"]["used"], 1, "{mode}");
            assert_eq!(receipt["isolation"].is_null(), mode == "none", "{receipt}");
        }
        for (tool, path) in [
            ("open-to-write", "de.txt"),
            ("open-to-truncate", "de.txt"),
            ("open-to-create", "new"),
            ("unlink-file", "de.txt"),
            ("create-directory", "new"),
            ("remove-directory", "deep"),
            ("set-times-at", "de.txt"),
            ("open", "../../hall.toml"),
            ("open", "../../../keys/keyring.json"),
            ("open", "/etc/passwd"),
        ] {
            assert_eq!(desk.command(tool, path)["output"], NOT_PERMITTED, "{mode} {tool} {path}");
        }
        for (tool, path) in [("stat", "deep"), ("open-folder", "deep/er"), ("read", "de.txt"), ("metadata-hash", "de.txt")] {
            assert_eq!(desk.command(tool, path)["output"], DONE, "{mode} {tool} {path}");
        }
    }
    assert_eq!(below(&desk.place()), [""; 0], "a process leaves nothing behind");
    let shown = desk.hall(&["inspect", SKILL]).ends(0).stdout;
    assert!(shown.contains("/assets (read)"), "{shown}");
}

#[test]
fn what_was_touched_is_written_anew() {
    let desk = Desk::new();
    let hall = desk.0.open();
    assert_eq!(output(ask(&hall, "text", "de.txt", "")), "Haus");
    let laid = || below(&desk.place()).into_iter().filter(|path| path.ends_with("de.txt")).collect::<Vec<_>>();
    let first = laid();
    assert_eq!(output(ask(&hall, "text", "deep/fr.txt", "")), "maison");
    assert_eq!(laid(), first, "it is kept from call to call");
    let at = |path: &str| desk.place().join(path);
    let folder = at(&first[0]).parent().expect("a folder").to_owned();
    let touches: [(&str, Touch<'_>); 5] = [
        ("exchanged content", &|folder| {
            fs::remove_file(folder.join("de.txt")).unwrap();
            fs::write(folder.join("de.txt"), "Maus").unwrap();
        }),
        ("written into", &|folder| {
            let file = folder.join("de.txt");
            let times = fs::metadata(&file).unwrap().modified().unwrap();
            let open = || fs::OpenOptions::new().write(true).open(&file).unwrap();
            fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
            std::io::Write::write_all(&mut open(), b"Maus").unwrap();
            open().set_modified(times).unwrap();
        }),
        ("one more", &|folder| fs::write(folder.join("deep/er/more"), "").unwrap()),
        ("one less", &|folder| fs::remove_file(folder.join("deep/fr.txt")).unwrap()),
        ("a link", &|folder| std::os::unix::fs::symlink("/etc/passwd", folder.join("deep/link")).unwrap()),
    ];
    let mut now = folder;
    for (what, touch) in touches {
        touch(&now);
        for (path, said) in ASSETS {
            assert_eq!(output(ask(&hall, "text", path, "")), *said, "{what}");
        }
        let gone = ask(&hall, "open", "deep/link", "");
        assert_ne!(output(gone), DONE, "{what}");
        let newest = laid().into_iter().map(|path| at(&path)).max_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
        let newest = newest.expect("it is laid out").parent().expect("a folder").to_owned();
        assert_ne!(newest, now, "{what}");
        now = newest;
    }
    // The whole place is taken away.
    fs::remove_dir_all(desk.place()).unwrap();
    assert_eq!(output(ask(&hall, "text", "de.txt", "")), "Haus");
}

#[test]
fn places_of_processes_that_are_gone_are_removed_and_others_stay() {
    let desk = Desk::new();
    put(&desk.place().join("left/1/de.txt"), b"old");
    let one = desk.0.open();
    assert_eq!(output(ask(&one, "text", "de.txt", "")), "Haus");
    assert!(!desk.place().join("left").exists());
    let other = desk.0.open();
    assert_eq!(output(ask(&other, "text", "de.txt", "")), "Haus");
    assert_eq!(fs::read_dir(desk.place()).unwrap().count(), 2);
    drop(one);
    assert_eq!(fs::read_dir(desk.place()).unwrap().count(), 1);
    assert_eq!(output(ask(&other, "text", "deep/fr.txt", "")), "maison");
}

#[test]
fn what_cannot_be_laid_out_fails_the_run_and_no_more() {
    let desk = Desk::new();
    let hall = desk.0.open();
    fs::write(desk.place(), "no folder").unwrap();
    let receipt = ask(&hall, "text", "de.txt", "");
    let why = format!("{:?}", receipt.into_output());
    assert!(why.contains("Grant") && why.contains("could not be laid out"), "{why}");
    fs::remove_file(desk.place()).unwrap();
    let elsewhere = desk.0.desk().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, desk.place()).unwrap();
    let why = format!("{:?}", ask(&hall, "text", "de.txt", "").into_output());
    assert!(why.contains("could not be laid out"), "a link is not followed: {why}");
    fs::remove_file(desk.place()).unwrap();
    assert_eq!(output(ask(&hall, "text", "de.txt", "")), "Haus");
}

#[test]
fn a_package_without_assets_cannot_ask_for_them() {
    let denial = with(&toml("{ mount = \"/assets\", access = \"read\" }"), &[]).expect_err("there is nothing to read");
    assert_eq!(denial.code, Code::PackageLayout);
    // From the author's folder, through the command.
    let desk = Desk::new();
    let folder = desk.0.desk().join("words");
    let body = component(&text(&repository("tests/guests/bodies/files.wat")));
    write_source(&folder, &toml("{ mount = \"/assets\", access = \"read\" }"), &body);
    let build = |code| desk.hall(&["build", &folder.display().to_string(), "--json"]).ends(code);
    assert!(build(3).stderr.contains("there is nothing that the package would have there"));
    put(&folder.join("assets/de.txt"), b"Haus");
    let _ = build(0);
}

#[test]
fn assets_stand_beside_granted_folders_and_no_grant_replaces_them() {
    let desk = Desk(World::bare());
    let asked = "{ mount = \"/data\", access = \"write\" }, { mount = \"/assets\", access = \"read\" }";
    install(&desk.0.open(), &with(&toml(asked), &ASSETS).expect("the skill is built"));
    desk.enroll();
    let data = desk.0.desk().canonicalize().expect("the desk is there").join("data");
    put(&data.join("own"), b"data");
    let input = json!({ "path": "own", "other": "de.txt" }).to_string();
    let run = || desk.hall(&["run", SKILL, "--tool", "rename-to-second", "--input", &input, "--json"]);
    assert_eq!(run().error(3)["code"], "DENY_CAPABILITY_NOT_GRANTED");
    let refused = desk.hall(&["grant", SKILL, "--files", &format!("/assets={}", data.display()), "--json"]);
    assert!(refused.code != 0 && format!("{refused:?}").contains("the package's own assets"), "{refused:?}");
    let all = desk.hall(&["grant", SKILL, "--asked", "--files", &format!("/data={}:write", data.display()), "--json"]);
    all.object();
    let receipt = run().object();
    // Neither into them nor out of them.
    assert_eq!(receipt["output"], NOT_PERMITTED, "{receipt}");
    assert_eq!(receipt["grants"].as_array().map(Vec::len), Some(2), "{receipt}");
    assert_eq!(text(&data.join("own")), "data");
}
