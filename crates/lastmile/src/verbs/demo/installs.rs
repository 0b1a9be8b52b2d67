//! 10,000 simulated installs that read what was written, decide as their updaters do, and install what they are
//! offered.
//!
//! Half of them are desktop apps with electron-updater, which reads `latest*.yml` and buckets by its own formula; the
//! other half are command-line tools that read the channel and call `decide`, as the SDK does.

use std::collections::{BTreeMap, BTreeSet};

use feed::electron_updater;
use release::{Channel, ChannelView, Client, Platform, Sha256, Sha512, Version, decide, document};

use super::stage::Stage;
use crate::failure::Failure;
use crate::output::plain;

/// Desktop installs by platform, and command-line installs.
const DESKTOP: [(Platform, u32); 3] = [
    (Platform::WindowsX64, 3_000),
    (Platform::MacosUniversal, 1_000),
    (Platform::LinuxX64, 1_000),
];
const COMMAND_LINE: u32 = 5_000;
/// Every how many-th command-line install belongs to the staff.
const STAFF_EVERY: u32 = 100;

/// One install.
struct Install {
    id: String,
    platform: Platform,
    /// Whether electron-updater serves it; else the channel does.
    is_desktop: bool,
    is_staff: bool,
    has: Option<Version>,
}

/// All of them, and what was counted so far.
pub(super) struct Installs {
    all: Vec<Install>,
    rows: Vec<[String; 6]>,
    /// What was downloaded and compared with its digest, so that each is read once.
    intact: BTreeSet<String>,
}

impl Installs {
    pub(super) fn new() -> Self {
        let mut installs = Self {
            all: Vec::new(),
            rows: Vec::new(),
            intact: BTreeSet::new(),
        };
        for (platform, count) in DESKTOP {
            (0..count).for_each(|_| installs.add(platform, true));
        }
        (0..COMMAND_LINE).for_each(|_| installs.add(Platform::LinuxX64, false));
        installs
    }

    /// More installs, half of each sort, that have nothing yet.
    pub(super) fn newcomers(&mut self, count: u32) {
        for number in 0..count {
            let is_desktop = number % 2 == 0;
            self.add(
                if is_desktop {
                    Platform::WindowsX64
                } else {
                    Platform::LinuxX64
                },
                is_desktop,
            );
        }
    }

    fn add(&mut self, platform: Platform, is_desktop: bool) {
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        let is_staff = !is_desktop && number % STAFF_EVERY == 0;
        self.all.push(Install {
            id: install_id(number),
            platform,
            is_desktop,
            is_staff,
            has: None,
        });
    }

    /// Every install checks for an update once and installs what it is offered.
    pub(super) fn check(&mut self, stage: &Stage, when: &str) -> Result<(), Failure> {
        let channel: ChannelView = read_channel(stage)?;
        let mut feeds = BTreeMap::new();
        for (platform, _) in DESKTOP {
            let file = electron_updater::file_for(&Channel::stable(), platform);
            let bytes = stage.served(&format!("atlas/feeds/electron-updater/{file}"))?;
            feeds.insert(
                platform,
                electron_updater::parse(&bytes)
                    .map_err(|error| damaged(&file, &error.to_string()))?,
            );
        }
        let mut changed = [0_u32; 2];
        for install in &mut self.all {
            let offered = match (install.is_desktop, &install.has) {
                // A new desktop install comes from the download link, which shows what is public.
                (true, None) => channel
                    .state
                    .platforms
                    .known
                    .get(&install.platform)
                    .and_then(|entry| entry.public.clone()),
                (true, Some(has)) => desktop_offer(&install.id, has, &feeds[&install.platform]),
                (false, _) => command_line_offer(install, &channel),
            };
            if let Some(version) = offered.filter(|version| install.has.as_ref() != Some(version)) {
                changed[usize::from(!install.is_desktop)] += 1;
                install.has = Some(version);
            }
        }
        self.download(stage, &channel)?;
        self.count(when, changed);
        Ok(())
    }

    /// Reads each artifact that some install has, and compares it with its digests, as updaters do before installing.
    fn download(&mut self, stage: &Stage, channel: &ChannelView) -> Result<(), Failure> {
        for version in self
            .all
            .iter()
            .filter_map(|install| install.has.as_ref())
            .collect::<BTreeSet<_>>()
        {
            let Some(release) = channel.releases.0.get(version) else {
                continue;
            };
            for artifact in &release.artifacts {
                let address = release::address::artifact(&channel.app, version, &artifact.name);
                if self.intact.contains(&address) {
                    continue;
                }
                let bytes = stage.served(&address)?;
                let good = Sha256::of(&bytes) == artifact.sha256
                    && artifact
                        .sha512
                        .is_none_or(|sha512| sha512 == Sha512::of(&bytes));
                if !good {
                    return Err(damaged(
                        &address,
                        "its digest is not what the release record says",
                    ));
                }
                self.intact.insert(address);
            }
        }
        Ok(())
    }

    fn count(&mut self, when: &str, changed: [u32; 2]) {
        let having = |is_desktop: bool, version: &str| {
            let has = |install: &&Install| {
                install.is_desktop == is_desktop
                    && install
                        .has
                        .as_ref()
                        .is_some_and(|has| has.to_string() == version)
            };
            self.all.iter().filter(has).count().to_string()
        };
        let row = [
            when.to_owned(),
            having(true, "1.3.0"),
            having(true, "1.4.0"),
            having(false, "1.3.0"),
            having(false, "1.4.0"),
            format!("{} + {}", changed[0], changed[1]),
        ];
        plain(&format!(
            "\n   {} installs look for an update: {} desktop and {} command-line installs change\n",
            self.all.len(),
            changed[0],
            changed[1]
        ));
        self.rows.push(row);
    }

    /// What every step did to the installs.
    pub(super) fn table(&self) -> String {
        let heads = [
            ["", "desktop", "", "command line", "", "changed"],
            ["after", "1.3.0", "1.4.0", "1.3.0", "1.4.0", ""],
        ];
        let heads = heads.map(|row| row.map(str::to_owned));
        let rows: Vec<_> = heads
            .iter()
            .chain(&self.rows)
            .map(|row| row.to_vec())
            .collect();
        format!(
            "\nWhat each step did to the installs (a desktop reads a static feed, in whole percents):\n{}",
            crate::output::table(&rows)
        )
    }
}

/// What electron-updater does with its file: newer than what it has, and inside the share by its own formula.
fn desktop_offer(id: &str, has: &Version, latest: &electron_updater::Latest) -> Option<Version> {
    let inside = latest
        .staging_percentage
        .is_none_or(|percent| electron_updater::is_within(id, percent));
    (latest.version > *has && inside && !latest.files.is_empty()).then(|| latest.version.clone())
}

fn command_line_offer(install: &Install, channel: &ChannelView) -> Option<Version> {
    let client = Client {
        version: install.has.clone(),
        id: Some(install.id.clone()),
        cohorts: if install.is_staff {
            "internal".parse().into_iter().collect()
        } else {
            Vec::new()
        },
        can_downgrade: true,
        ..Client::new(install.platform)
    };
    decide(&channel.state, &channel.releases, &client)
        .offered()
        .cloned()
}

fn read_channel(stage: &Stage) -> Result<ChannelView, Failure> {
    let address = "atlas/channels/stable.json";
    document::parse(&stage.served(address)?, address)
        .map_err(|error| damaged(address, &error.to_string()))
}

fn damaged(what: &str, why: &str) -> Failure {
    ops::Error::Local {
        path: what.to_owned(),
        source: std::io::Error::other(why.to_owned()),
    }
    .into()
}

/// An id as electron-updater makes them, a UUID, but the same in every demo.
fn install_id(number: u32) -> String {
    let hex = Sha256::of(&number.to_be_bytes()).to_string();
    format!(
        "{}-{}-5{}-a{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..32]
    )
}
