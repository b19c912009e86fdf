//! Keys, the keyring and the folder that holds them.

use std::os::unix::fs::PermissionsExt as _;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::clock::Timestamp;
use crate::id::{KeyId, Namespace};
use crate::trust::keys::{
    Algorithm, ENVIRONMENT_KEY, FileKeys, KeyError, KeyRecord, KeySource as _, KeyState, Keyring, NamespaceKeys, PublicKey,
    Purpose, Require, Secret, SigningKey,
};

use super::world::{hmac_record, record};

fn namespace(text: &str) -> Namespace {
    text.parse().unwrap()
}

fn id(text: &str) -> KeyId {
    text.parse().unwrap()
}

fn ring() -> Keyring {
    let keys = vec![record("acme-1", Purpose::Attest, &SigningKey::from_seed(&[1; 32])), hmac_record("acme-hmac")];
    Keyring {
        namespaces: [(namespace("org.acme"), NamespaceKeys { require: Some(Require::Both), keys })].into(),
        own: vec![namespace("org.acme")],
        certifiers: vec![record("cert-1", Purpose::Certify, &SigningKey::from_seed(&[2; 32]))],
        ledger: Some(record("ledger-1", Purpose::Ledger, &SigningKey::from_seed(&[3; 32]))),
        approvers: Vec::new(),
    }
}

#[test]
fn a_keyring_is_read_as_it_was_written() {
    let bytes = ring().to_bytes().unwrap();
    let read = Keyring::parse(&bytes).unwrap();
    assert_eq!(read, ring());
    assert_eq!(read.to_bytes().unwrap(), bytes);
    assert_eq!(ring().require(&namespace("org.acme")), Require::Both);
    assert_eq!(Keyring::default().require(&namespace("org.acme")), Require::Ed25519);
    assert_eq!(Keyring { own: vec![namespace("x.me")], ..Keyring::default() }.require(&namespace("x.me")), Require::Hmac);
}

#[test]
fn a_keyring_that_could_confuse_keys_is_refused() {
    type Change = fn(&mut Keyring);
    fn first(ring: &mut Keyring) -> &mut KeyRecord {
        &mut ring.namespaces.values_mut().next().unwrap().keys[0]
    }
    let cases: [(&str, Change); 9] = [
        ("an id twice", |ring| ring.certifiers[0].id = id("acme-1")),
        ("a public key twice", |ring| ring.certifiers[0].public = first(ring).public.clone()),
        ("a certifier's key among attesters", |ring| first(ring).purpose = Purpose::Certify),
        ("an HMAC certifier", |ring| {
            ring.certifiers[0].algorithm = Algorithm::HmacSha256;
            ring.certifiers[0].public = None;
        }),
        ("an HMAC key with a public half", |ring| first(ring).algorithm = Algorithm::HmacSha256),
        ("an Ed25519 key without one", |ring| first(ring).public = None),
        ("a public key in capitals", |ring| first(ring).public = first(ring).public.as_ref().map(|text| text.to_uppercase())),
        ("an end before the beginning", |ring| first(ring).valid_to = Some(Timestamp::from_millis(0))),
        ("an id kept for the environment", |ring| first(ring).id = id(ENVIRONMENT_KEY)),
    ];
    for (what, change) in cases {
        let mut ring = ring();
        change(&mut ring);
        assert!(matches!(ring.validate(), Err(KeyError::Malformed(_))), "{what}");
        assert!(ring.to_bytes().is_err(), "{what}");
    }
    let text = String::from_utf8(ring().to_bytes().unwrap()).unwrap();
    for (what, broken) in [
        ("an unknown member", text.replacen("\"own\"", "\"extra\":1,\"own\"", 1)),
        ("a member twice", text.replacen("\"own\"", "\"own\":[],\"own\"", 1)),
        ("another version", text.replace("keyring.v1", "keyring.v2")),
        ("an unknown algorithm", text.replace("\"ed25519\",\"id\"", "\"none\",\"id\"")),
    ] {
        assert_ne!(broken, text, "{what}");
        assert!(Keyring::parse(broken.as_bytes()).is_err(), "{what}");
    }
}

#[test]
fn weak_and_twisted_points_are_no_keys() {
    let mut identity = [0; 32];
    identity[0] = 1;
    assert!(matches!(PublicKey::from_bytes(&identity), Err(KeyError::Weak(_))));
    assert!(matches!(PublicKey::from_bytes(&[0; 32]), Err(KeyError::Weak(_))));
    let mut ring = ring();
    ring.certifiers[0].public = Some("0".repeat(64));
    assert!(matches!(ring.validate(), Err(KeyError::Weak(_))));
    // y = p + 3: the field element 3 in an encoding that is not the canonical one.
    let mut twisted = [0xff; 32];
    (twisted[0], twisted[31]) = (0xf0, 0x7f);
    assert!(PublicKey::from_bytes(&twisted).is_err());
}

#[test]
fn a_key_counts_in_its_time_and_never_again_after_revocation() {
    let at = Timestamp::from_millis;
    let mut key = KeyRecord { valid_from: at(1000), valid_to: Some(at(2000)), ..hmac_record("k") };
    let states = [(999, KeyState::NotYetValid), (1000, KeyState::Valid), (1999, KeyState::Valid), (2000, KeyState::Expired)];
    for (now, state) in states {
        assert_eq!(key.state(at(now)), state, "{now}");
    }
    key.revoked_at = Some(at(1500));
    // Whatever the clock says: a clock that was set back does not bring a key back.
    assert!([0, 1499, 1500, 5000].into_iter().all(|now| key.state(at(now)) == KeyState::Revoked));
}

fn folder(environment: Option<(Namespace, Secret)>) -> (tempfile::TempDir, FileKeys) {
    let folder = tempfile::tempdir().unwrap();
    let dir = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
    (folder, FileKeys::new(dir, environment))
}

#[test]
fn private_keys_survive_their_file_and_are_bound_to_their_record() {
    let (kept, keys) = folder(None);
    let key = SigningKey::generate().unwrap();
    let own = record("me/ledger:1", Purpose::Ledger, &key);
    keys.save_signing_key(&own.id, &key).unwrap();
    assert_eq!(keys.signing_key(&own, Purpose::Ledger).unwrap().public(), key.public());
    assert!(keys.save_signing_key(&own.id, &key).is_err(), "never overwritten");
    assert!(keys.signing_key(&own, Purpose::Attest).is_err(), "bound to its purpose");
    let other = record("me/ledger:1", Purpose::Ledger, &SigningKey::from_seed(&[9; 32]));
    assert!(keys.signing_key(&other, Purpose::Ledger).is_err(), "bound to its public half");
    assert!(keys.signing_key(&record("absent", Purpose::Ledger, &key), Purpose::Ledger).is_err());

    let file = kept.path().join("me%2fledger%3a1.key");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(keys.signing_key(&own, Purpose::Ledger), Err(KeyError::Exposed(_))));
    assert!(SigningKey::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").is_err());
}

#[test]
fn shared_secrets_are_read_from_private_files_only() {
    let (kept, keys) = folder(None);
    let (key, org) = (id("acme-hmac"), namespace("org.acme"));
    assert!(keys.hmac_secret(&key, &org).unwrap().is_none());
    let secret = Secret::generate().unwrap();
    assert!(!secret.is_weak());
    keys.save_hmac_secret(&key, &secret).unwrap();
    let read = keys.hmac_secret(&key, &org).unwrap().unwrap();
    assert!(read.verify(b"message", &secret.authenticate(b"message")));
    assert_eq!(std::fs::read(kept.path().join("acme-hmac.hmac")).unwrap().len(), 64);
    std::fs::set_permissions(kept.path().join("acme-hmac.hmac"), std::fs::Permissions::from_mode(0o604)).unwrap();
    assert!(matches!(keys.hmac_secret(&key, &org), Err(KeyError::Exposed(_))));
    std::os::unix::fs::symlink("acme-hmac.hmac", kept.path().join("link.hmac")).unwrap();
    assert!(matches!(keys.hmac_secret(&id("link"), &org), Err(KeyError::Unreadable { .. })));
}

#[test]
fn the_environments_secret_counts_for_its_one_namespace() {
    let (org, other) = (namespace("org.acme"), namespace("org.other"));
    let (_kept, keys) = folder(Some((org.clone(), Secret::new(vec![b'k'; 40]))));
    let ring = keys.keyring().unwrap();
    assert_eq!(ring.attesters(&org, Algorithm::HmacSha256).count(), 1);
    assert_eq!(ring.attesters(&other, Algorithm::HmacSha256).count(), 0);
    assert!(keys.hmac_secret(&id(ENVIRONMENT_KEY), &org).unwrap().is_some());
    assert!(keys.hmac_secret(&id(ENVIRONMENT_KEY), &other).unwrap().is_none());
    // What is edited and saved knows nothing of the environment.
    assert_eq!(keys.stored().unwrap(), Keyring::default());
    let (_kept, keys) = folder(Some((org.clone(), Secret::new(Vec::new()))));
    assert_eq!(keys.keyring().unwrap(), Keyring::default());
}

#[test]
fn a_keyring_file_is_saved_whole_and_a_broken_one_is_told() {
    let (kept, keys) = folder(None);
    keys.save(&ring()).unwrap();
    assert_eq!(keys.keyring().unwrap(), ring());
    let mut broken = ring();
    broken.own.push(namespace("org.acme"));
    assert!(keys.save(&broken).is_err());
    assert_eq!(keys.keyring().unwrap(), ring());
    std::fs::write(kept.path().join("keyring.json"), b"{").unwrap();
    assert!(keys.keyring().is_err());
}
