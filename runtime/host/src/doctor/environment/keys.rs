//! Whether the keys are strong and in their time.

use skillhall_core::clock::{SystemClock, Timestamp};
use skillhall_core::id::Namespace;
use skillhall_core::trust::keys::{Algorithm, KeyRecord, KeySource as _, KeyState, Keyring, MIN_SECRET_BYTES};

use super::{Condition, Standing};
use crate::hall::Hall;

/// Milliseconds before its end at which a key is told.
const SOON: i64 = 30 * 86_400_000;

pub(super) fn strength(hall: &Hall) -> Condition {
    let keyring = match hall.keys().keyring() {
        Ok(keyring) => keyring,
        Err(error) => return Condition::new("key-strength", Standing::Bad, error.to_string()).hint(error.hint()),
    };
    let weak = |namespace: &Namespace, record: &KeyRecord| match hall.keys().hmac_secret(&record.id, namespace) {
        Ok(Some(secret)) if secret.is_weak() => Some(format!("the secret {} has fewer than {MIN_SECRET_BYTES} bytes", record.id)),
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    };
    judge(&keyring, SystemClock.now(), weak)
}

/// A keyring is read only if each Ed25519 key in it is sound; what is left are secrets, times, and what is missing.
fn judge(keyring: &Keyring, now: Timestamp, weak: impl Fn(&Namespace, &KeyRecord) -> Option<String>) -> Condition {
    let attesting: Vec<(&Namespace, &KeyRecord)> =
        keyring.namespaces.iter().flat_map(|(name, keys)| keys.keys.iter().map(move |key| (name, key))).collect();
    let counts = |key: &&KeyRecord| key.state(now) == KeyState::Valid;
    let secret = |(name, key): &(&Namespace, &KeyRecord)| {
        let ours = key.algorithm == Algorithm::HmacSha256 && counts(key);
        ours.then(|| weak(name, key)).flatten()
    };
    if let Some(told) = attesting.iter().find_map(secret) {
        return Condition::new("key-strength", Standing::Bad, told).hint("make a new one: hall keys rotate");
    }
    if keyring.ledger.as_ref().is_none_or(|key| !counts(&key)) {
        let told = "no key counts with which the ledger could be signed";
        return Condition::new("key-strength", Standing::Bad, told).hint("put keys/keyring.json back from a copy that you trust");
    }
    let all: Vec<&KeyRecord> =
        attesting.iter().map(|(_, key)| *key).chain(&keyring.certifiers).chain(keyring.ledger.as_ref()).filter(counts).collect();
    let ending = all.iter().find_map(|key| key.valid_to.filter(|end| *end < now.plus_millis(SOON)).map(|end| (key, end)));
    if let Some((key, end)) = ending {
        let told = format!("the key {} counts only until {end}", key.id);
        return Condition::new("key-strength", Standing::Remark, told).hint("make new ones in time: hall keys rotate");
    }
    Condition::new(
        "key-strength",
        Standing::Good,
        format!("{} keys count: Ed25519 of full order, secrets of {MIN_SECRET_BYTES} bytes or more", all.len()),
    )
}

#[cfg(test)]
mod tests {
    use skillhall_core::trust::keys::{NamespaceKeys, Purpose, SigningKey};

    use super::*;

    const NOW: &str = "2026-05-05T05:05:05Z";

    fn key(id: &str, algorithm: Algorithm, purpose: Purpose, end: Option<&str>) -> KeyRecord {
        let public = (algorithm == Algorithm::Ed25519).then(|| SigningKey::generate().unwrap().public().to_string());
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let (valid_from, valid_to) = (at("2026-01-01T00:00:00Z"), end.map(at));
        KeyRecord { id: id.parse().unwrap(), algorithm, purpose, public, valid_from, valid_to, revoked_at: None }
    }

    fn keyring(attesting: Vec<KeyRecord>, ledger: Option<KeyRecord>) -> Keyring {
        let keys = NamespaceKeys { require: None, keys: attesting };
        Keyring { namespaces: [("org.acme".parse().unwrap(), keys)].into(), ledger, ..Keyring::default() }
    }

    #[test]
    fn weak_secrets_missing_and_ending_keys_are_told() {
        let now = Timestamp::parse(NOW).unwrap();
        let ledger = || Some(key("ledger", Algorithm::Ed25519, Purpose::Ledger, None));
        let hmac = |end| key("org.acme/hmac", Algorithm::HmacSha256, Purpose::Attest, end);
        let (strong, weak) = (|_: &Namespace, _: &KeyRecord| None, |_: &Namespace, _: &KeyRecord| Some("weak".to_owned()));
        let sound = keyring(vec![hmac(None)], ledger());
        assert_eq!(judge(&sound, now, strong).standing, Standing::Good);
        assert_eq!(judge(&sound, now, weak).standing, Standing::Bad);
        assert_eq!(judge(&keyring(vec![hmac(None)], None), now, strong).standing, Standing::Bad);
        let ending = keyring(vec![hmac(Some("2026-05-20T00:00:00Z"))], ledger());
        assert_eq!(judge(&ending, now, strong).standing, Standing::Remark);
        // A key whose time is over signs nothing, so that nothing hangs on its strength.
        let over = keyring(vec![hmac(Some("2026-02-01T00:00:00Z"))], ledger());
        assert_eq!(judge(&over, now, weak).standing, Standing::Good);
    }
}
