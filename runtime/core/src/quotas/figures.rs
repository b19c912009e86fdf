//! What hall.toml says about quotas: one table of names and bounds, and whose figures count.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::OrgId;

macro_rules! quotas {
    ($($variant:ident = $name:ident <= $most:literal, $unit:literal x $times:literal, $doc:literal;)*) => {
        /// What an organisation may have only so much of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Quota {
            $(#[doc = $doc] $variant,)*
        }

        impl Quota {
            /// Every quota, in the order in which they are looked at.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in hall.toml.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => stringify!($name),)* }
            }

            /// In what it is counted.
            #[must_use]
            pub fn unit(self) -> &'static str {
                match self { $(Self::$variant => $unit,)* }
            }
        }

        /// How much an organisation may have. What is absent is not counted.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
        #[serde(deny_unknown_fields)]
        pub struct Figures {
            $(#[doc = $doc] #[serde(default, skip_serializing_if = "Option::is_none")] pub $name: Option<u64>,)*
        }

        impl Figures {
            /// What is allowed of a quota, in its unit; `None` is without bound.
            #[must_use]
            pub fn allowed(&self, quota: Quota) -> Option<u64> {
                match quota { $(Quota::$variant => self.$name.map(|figure| figure.saturating_mul($times)),)* }
            }

            /// These figures, and where one is absent the other's.
            #[must_use]
            pub fn or(self, other: Self) -> Self {
                Self { $($name: self.$name.or(other.$name),)* }
            }

            fn validate(&self, place: &str) -> Result<(), String> {
                for (name, figure, most) in [$((stringify!($name), self.$name, $most)),*] {
                    if figure.is_some_and(|figure| !(1..=most).contains(&figure)) {
                        return Err(format!("{place}.{name} is 1 to {most}"));
                    }
                }
                Ok(())
            }
        }

        /// Quotas of the organisations whose callers this host serves. Absent: nothing is counted.
        ///
        /// The keys of the table itself hold for every organisation; an organisation's own table says otherwise, key by key.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
        #[serde(deny_unknown_fields)]
        pub struct QuotasSection {
            $(#[doc = $doc] #[serde(default, skip_serializing_if = "Option::is_none")] pub $name: Option<u64>,)*
            /// Figures of one organisation. A key that is absent there is the one that holds for all.
            #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
            pub organisations: BTreeMap<OrgId, Figures>,
        }

        impl QuotasSection {
            fn for_all(&self) -> Figures {
                Figures { $($name: self.$name,)* }
            }
        }
    };
}

quotas! {
    CallsPerMinute = calls_per_minute <= 100_000, "calls" x 1, "Calls that come to run within any sixty seconds.";
    ConcurrentRuns = concurrent_runs <= 10_000, "runs" x 1, "Runs that go on at once, those of called skills among them.";
    GuestSeconds = guest_seconds_per_day <= 86_400_000, "microseconds" x 1_000_000, "Seconds of guest time a day: the wall clock of runs, which is never less than the processor time of their guests.";
    Bytes = bytes_per_day <= 1_125_899_906_842_624, "bytes" x 1, "Bytes of inputs, outputs and host calls a day.";
}

impl Figures {
    /// Whether anything is counted.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether runs are counted, and not only calls.
    #[must_use]
    pub fn counts_runs(&self) -> bool {
        !Self { calls_per_minute: None, ..*self }.is_none()
    }
}

impl QuotasSection {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// What an organisation may have.
    #[must_use]
    pub fn of(&self, organisation: &OrgId) -> Figures {
        self.organisations.get(organisation).copied().unwrap_or_default().or(self.for_all())
    }

    /// Every figure is within its bounds.
    ///
    /// # Errors
    /// Which is not.
    pub(crate) fn validate(&self) -> Result<(), String> {
        self.for_all().validate("quotas")?;
        self.organisations.iter().try_for_each(|(name, figures)| figures.validate(&format!("quotas.organisations.{name}")))
    }
}
