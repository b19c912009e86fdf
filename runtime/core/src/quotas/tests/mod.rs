//! What is counted, whose it is, and when it is free again.

#[cfg(feature = "sqlite")]
mod counting;

use super::*;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + millis)
}

fn acme() -> OrgId {
    "acme".parse().unwrap()
}

fn section(toml: &str) -> QuotasSection {
    toml::from_str(toml).unwrap()
}

#[test]
fn an_organisations_own_figures_count_and_else_those_of_all() {
    let quotas =
        section("calls_per_minute = 10\nbytes_per_day = 5\n[organisations.acme]\ncalls_per_minute = 3\nconcurrent_runs = 2");
    let own = quotas.of(&acme());
    assert_eq!((own.calls_per_minute, own.concurrent_runs, own.bytes_per_day), (Some(3), Some(2), Some(5)));
    let others = quotas.of(&"rival".parse().unwrap());
    assert_eq!((others.calls_per_minute, others.concurrent_runs, others.bytes_per_day), (Some(10), None, Some(5)));
    assert!(section("").of(&acme()).is_none() && section("").is_none());
    assert!(!Figures { calls_per_minute: Some(1), ..Figures::default() }.counts_runs());
    for toml in ["calls_per_minute = 0", "concurrent_runs = 10001", "[organisations.acme]\nbytes_per_day = 0"] {
        assert!(section(toml).validate().is_err(), "{toml}");
    }
    assert!(toml::from_str::<QuotasSection>("calls = 1").is_err());
    assert!(toml::from_str::<QuotasSection>("[organisations.acme]\ncalls = 1").is_err());
}

#[test]
fn what_is_told_names_the_quota_what_is_used_and_when_it_is_free() {
    let day = Counted::nothing(at(0)).day_ends_at;
    let counted = Counted {
        calls: 3,
        next_call_at: Some(at(60_000)),
        runs: 2,
        next_end_at: Some(at(30_000)),
        time_us: 5_000_000,
        held_time_us: 2_500_000,
        bytes: 100,
        held_bytes: 50,
        ..Counted::nothing(at(0))
    };
    let claim = Claim { time_us: 3_000_000, bytes: 60 };
    let judge = |toml: &str, claim| over(&section(toml).of(&acme()), &counted, claim);
    for (toml, free_at, says) in [
        ("calls_per_minute = 3", Some(at(60_000)), "has made 3 of 3 calls a minute"),
        ("concurrent_runs = 2", Some(at(30_000)), "has 2 of 2 runs going on"),
        (
            "guest_seconds_per_day = 7",
            Some(day),
            "has used 5 of 7 s of guest time today, and runs that go on hold 2.500 s; this one may use 3 s",
        ),
        // It would fit if what goes on uses little.
        ("guest_seconds_per_day = 10", Some(at(30_000)), "hold 2.500 s"),
        ("guest_seconds_per_day = 2", None, "this one may use 3 s"),
        (
            "bytes_per_day = 209",
            Some(at(30_000)),
            "has used 100 of 209 bytes today, and runs that go on hold 50; this one may use 60",
        ),
        ("bytes_per_day = 150", Some(day), "hold 50; this one may use 60"),
    ] {
        let excess = judge(toml, claim).unwrap_or_else(|| panic!("{toml} is not exceeded"));
        assert_eq!(excess.free_at, free_at, "{toml}");
        let denial = excess.denial(&acme());
        assert!(denial.message.starts_with("the organisation acme ") && denial.message.contains(says), "{}", denial.message);
        assert_eq!(denial.code, Code::QuotaExceeded);
        let free = denial.details.get("free_at").and_then(|at| at.as_str()).map(str::to_owned);
        assert_eq!(free, free_at.map(|at| at.to_string()));
        for name in ["organisation", "quota", "unit", "used", "held", "claimed", "allowed"] {
            assert!(denial.details.contains_key(name), "{name}: {denial:?}");
        }
    }
    for toml in ["calls_per_minute = 4", "concurrent_runs = 3", "guest_seconds_per_day = 11", "bytes_per_day = 210"] {
        assert_eq!(judge(toml, claim), None, "{toml}");
    }
    // What another run holds already is not asked for twice; calls and places are.
    assert_eq!(judge("guest_seconds_per_day = 1\nbytes_per_day = 1", Claim::WITHIN), None);
    assert!(judge("concurrent_runs = 1", Claim::WITHIN).is_some());
    assert!(judge("bytes_per_day = 150", Claim::LEAST).is_some_and(|excess| !excess.to_string().contains("this one")));
}

#[test]
fn a_host_that_has_nowhere_to_count_gives_nothing() {
    let (figures, acme) = (Figures { calls_per_minute: Some(5), ..Figures::default() }, acme());
    let looked = NoQuotas.look(&acme, &figures, Claim::LEAST, at(0)).unwrap_err();
    assert_eq!(looked.denial(&acme).code, Code::QuotaUnavailable);
    assert_eq!(NoQuotas.take("a", &acme, &figures, Claim::LEAST, at(0)).unwrap_err(), looked);
    NoQuotas.settle("a", Spent::WITHIN);
}
