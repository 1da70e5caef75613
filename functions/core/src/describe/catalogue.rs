//! `aws ec2 describe-snapshots` for retention: of each snapshot only what makes sets, in as little memory as will do.
//!
//! A fleet of some years has a million snapshots, and the file is larger than what it takes to read it this way.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom};

use compact_str::CompactString;
use jiff::Timestamp;

use super::scan::{self, Failed, Scanner, Stop};
use super::{DescribeError, more_pages, snapshots};
use crate::backup_set::{Claim, Membership};
use crate::ebs_snapper;
use crate::inventory::{Snapshot, SnapshotState, Unknown};
use crate::policy::PolicyId;
use crate::set_tags;

/// Of about how many bytes a snapshot without tags is printed. Where they are fewer, the list of them grows.
const SHORTEST: usize = 256;

/// Texts by number.
#[derive(Debug, Default)]
struct Names {
    /// The number of each. Ids are short enough to stand in the table itself, so that one look there finds them: in files
    /// in no order each look mostly waits for memory. Hashes are seeded anew in each process: tags are whatever people write.
    numbers: HashMap<CompactString, Name, foldhash::fast::RandomState>,
    texts: Vec<CompactString>,
}

impl Names {
    /// The number of a text, a new one if it has none.
    fn number(&mut self, text: &str) -> Result<Name, Stop> {
        if let Some(name) = self.numbers.get(text) {
            return Ok(*name);
        }
        let name = u32::try_from(self.texts.len()).map(Name).map_err(|_| Stop::Odd)?;
        let text = CompactString::from(text);
        self.texts.push(text.clone());
        self.numbers.insert(text, name);
        Ok(name)
    }
}

/// The snapshots of a file.
#[derive(Debug, Default)]
pub struct Catalogue {
    entries: Vec<Entry>,
    names: Names,
    /// The tags of snapshots that make no sense, in words.
    whys: Vec<String>,
    /// The policy of the last set that was read: mostly that of the next.
    policy: Option<(PolicyId, Name)>,
    /// What could not be made sense of.
    pub unknown: Vec<Unknown>,
    /// Whether the file says that there are more snapshots than are in it.
    pub more: bool,
}

/// The number of a text in the catalogue. Equal texts have equal numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(u32);

/// A snapshot. What is as short as an id stands in the entry itself: where it stood elsewhere, reading a million entries in
/// another order than the file's would mostly be waiting for memory.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its id.
    pub id: CompactString,
    /// The id of the volume that it is of; empty where the file does not say.
    pub volume: CompactString,
    /// Its state. One that EC2 does not document counts as [`SnapshotState::Recovering`]: it may change, and is not complete.
    pub state: SnapshotState,
    /// When it was begun; [`Timestamp::MAX`] where the file does not say.
    pub started_at: Timestamp,
    /// What it belongs to.
    pub belongs: Belongs,
}

/// What a snapshot belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belongs {
    /// A set by its tags.
    Set {
        /// The policy's id.
        policy: Name,
        /// The instance's id.
        instance: Name,
        /// The occurrence's time.
        at: Timestamp,
        /// How many volumes the set has.
        volumes: u32,
    },
    /// Those that have the same value of the tag that was asked for.
    Group(Name),
    /// A set of ebs_snapper's, if a policy adopts them.
    EbsSnapper {
        /// The id of the instance that it is of.
        instance: Name,
    },
    /// No set, whoever adopts: that it is ebs_snapper's, and of which instance, cannot be told. Which of [`Catalogue::why`]
    /// says it.
    Unclear(usize),
    /// No set: it does not have the tags for one.
    Nothing,
    /// No set: its tags make no sense. Which of [`Catalogue::why`] says it.
    Malformed(usize),
}

/// What is read of a snapshot.
#[derive(Default)]
struct Raw<'a> {
    id: Option<Cow<'a, str>>,
    volume: Option<Cow<'a, str>>,
    state: Option<Cow<'a, str>>,
    started_at: Option<Cow<'a, str>>,
    policy: Option<Cow<'a, str>>,
    instance: Option<Cow<'a, str>>,
    occurrence: Option<Cow<'a, str>>,
    volumes: Option<Cow<'a, str>>,
    /// Whether a tag is ours.
    ours: bool,
    description: Option<Cow<'a, str>>,
    delete_on: Option<Cow<'a, str>>,
    /// The value of the tag that was asked for.
    group: Option<Cow<'a, str>>,
}

impl Catalogue {
    /// Reads the output of `aws ec2 describe-snapshots`, which `open` opens (twice, when something is wrong with it).
    /// `file` is its name, for messages. With `group_by`, snapshots belong together by that tag, else by stopgap's.
    ///
    /// # Errors
    /// When it cannot be read, or is not that output: where, and what would be right.
    pub fn read<R: Read + Seek>(
        file: &str,
        mut open: impl FnMut() -> io::Result<R>,
        group_by: Option<&str>,
    ) -> Result<Self, DescribeError> {
        let unreadable = |error: io::Error| DescribeError { file: file.to_owned(), why: error.to_string() };
        let mut catalogue = Self::default();
        let mut reader = open().map_err(unreadable)?;
        // Some things that can be opened tell a length that no memory has room for, such as a folder: then the list grows.
        let _ = catalogue.entries.try_reserve(entries_expected(&mut reader).map_err(unreadable)?);
        let read = scan::items(reader, "Snapshots", |scanner| {
            let mut raw = Raw::default();
            read(&mut raw, scanner, group_by)?;
            let started_at = raw.started_at.as_deref().map(str::parse).transpose().map_err(|_| Stop::Odd)?;
            catalogue.add(&raw, started_at, group_by.is_some())
        });
        match read {
            Ok(rest) => {
                catalogue.ends(file, rest.more);
                return Ok(catalogue);
            }
            Err(Failed::Io(error)) => return Err(unreadable(error)),
            Err(Failed::Odd) => {}
        }
        // Whatever is odd about it: the ordinary way takes it, or says why not.
        let mut bytes = Vec::new();
        open().and_then(|mut reader| reader.read_to_end(&mut bytes)).map_err(unreadable)?;
        Self::of(file, &bytes, group_by)
    }

    /// The same by way of [`super::snapshots()`].
    fn of(file: &str, bytes: &[u8], group_by: Option<&str>) -> Result<Self, DescribeError> {
        let mut catalogue = Self::default();
        let described = snapshots::read_whole(file, bytes)?;
        catalogue.ends(file, described.more);
        for snapshot in described.items {
            let mut raw = Raw {
                id: Some(snapshot.snapshot_id),
                volume: snapshot.volume_id,
                state: snapshot.state,
                description: snapshot.description,
                ..Raw::default()
            };
            for tag in snapshot.tags.unwrap_or_default() {
                raw.tag(&tag.key, tag.value, group_by);
            }
            if catalogue.add(&raw, snapshot.start_time, group_by.is_some()).is_err() {
                return Err(DescribeError {
                    file: file.to_owned(),
                    why: "it has too many snapshots".to_owned(),
                });
            }
        }
        Ok(catalogue)
    }

    fn ends(&mut self, file: &str, more: bool) {
        self.more = more;
        self.unknown.extend(more_pages(file, more));
    }

    fn add(&mut self, raw: &Raw<'_>, started_at: Option<Timestamp>, grouped: bool) -> Result<(), Stop> {
        let id = raw.id.as_deref().ok_or(Stop::Odd)?;
        // What is not known of it must not make a set complete, nor one that anything follows from.
        let known = snapshots::state(id, raw.state.as_deref())
            .and_then(|state| started_at.map(|_| state).ok_or_else(|| snapshots::missing(id, "StartTime")));
        let state = known.unwrap_or_else(|unknown| {
            self.unknown.push(unknown);
            SnapshotState::Recovering
        });
        let belongs = match (grouped, &raw.group) {
            (true, Some(value)) => Belongs::Group(self.names.number(value)?),
            (true, None) => Belongs::Nothing,
            (false, _) if !raw.ours => self.adoptable(raw)?,
            (false, _) => self.membership(raw)?,
        };
        self.entries.push(Entry {
            id: id.into(),
            volume: raw.volume.as_deref().unwrap_or_default().into(),
            state,
            started_at: started_at.unwrap_or(Timestamp::MAX),
            belongs,
        });
        Ok(())
    }

    fn membership(&mut self, raw: &Raw<'_>) -> Result<Belongs, Stop> {
        let tags = [
            (set_tags::POLICY, &raw.policy),
            (set_tags::INSTANCE, &raw.instance),
            (set_tags::OCCURRENCE, &raw.occurrence),
            (set_tags::VOLUMES, &raw.volumes),
        ];
        let given = tags.iter().filter_map(|(key, value)| Some((*key, value.as_deref()?)));
        let claim = Claim::of(given).unwrap_or_default();
        let quickly = self.policy.as_ref().and_then(|(policy, name)| Some((claim.read_of(policy)?, *name)));
        let (membership, known) = match quickly {
            Some((membership, name)) => (Ok(membership), Some(name)),
            None => (claim.read(), None),
        };
        Ok(match membership {
            Ok(Membership { policy, at, instance_id, volumes }) => {
                let policy = match known {
                    Some(name) => name,
                    None => {
                        let name = self.names.number(policy)?;
                        self.policy = policy.parse().ok().map(|policy| (policy, name));
                        name
                    }
                };
                Belongs::Set {
                    policy,
                    instance: self.names.number(instance_id)?,
                    at,
                    volumes: u32::try_from(volumes).unwrap_or(u32::MAX),
                }
            }
            Err(why) => {
                self.whys.push(why);
                Belongs::Malformed(self.whys.len() - 1)
            }
        })
    }

    fn adoptable(&mut self, raw: &Raw<'_>) -> Result<Belongs, Stop> {
        let Some(delete_on) = raw.delete_on.as_deref() else { return Ok(Belongs::Nothing) };
        let description = raw.description.as_deref().unwrap_or_default();
        let volume = raw.volume.as_deref().unwrap_or_default();
        Ok(match ebs_snapper::instance_of(Some(delete_on), description, volume) {
            None => Belongs::Nothing,
            Some(Ok(instance)) => Belongs::EbsSnapper { instance: self.names.number(instance)? },
            Some(Err(why)) => {
                self.whys.push(why);
                Belongs::Unclear(self.whys.len() - 1)
            }
        })
    }

    /// The number of a name that need not stand in the file. To be asked for before [`Catalogue::order`].
    pub fn number(&mut self, text: &str) -> Option<Name> {
        self.names.number(text).ok()
    }

    /// The snapshots, in the file's order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// A policy's, an instance's or a group's name.
    pub fn name(&self, name: Name) -> &str {
        self.names.texts.get(name.0 as usize).map(CompactString::as_str).unwrap_or_default()
    }

    /// The snapshots of these sets, with the tags that make them a set and nothing else.
    pub fn snapshots(&self, wanted: impl Fn(&str, Timestamp) -> bool) -> Vec<Snapshot> {
        let snapshot = |entry: &Entry| {
            let Belongs::Set { policy, instance, at, volumes } = entry.belongs else { return None };
            let (policy, instance) = (self.name(policy), self.name(instance));
            let tags = wanted(policy, at).then(|| {
                [
                    (set_tags::POLICY, policy.to_owned()),
                    (set_tags::INSTANCE, instance.to_owned()),
                    (set_tags::OCCURRENCE, format!("{policy}/{at}")),
                    (set_tags::VOLUMES, volumes.to_string()),
                ]
            })?;
            Some(Snapshot {
                id: entry.id.to_string(),
                owner: None,
                volume_id: entry.volume.to_string(),
                state: entry.state,
                started_at: entry.started_at,
                size_gib: 0,
                description: String::new(),
                tags: tags.map(|(key, value)| (key.to_owned(), value)).into(),
            })
        };
        self.entries.iter().filter_map(snapshot).collect()
    }

    /// For each [`Name`] of a policy, instance or group its place in the order of these names.
    pub fn order(&self) -> Order {
        let mut numbers: Vec<u32> = (0..).take(self.names.texts.len()).collect();
        numbers.sort_unstable_by_key(|number| self.names.texts.get(*number as usize));
        let mut places = vec![0; numbers.len()];
        for (place, number) in (0..).zip(numbers) {
            if let Some(slot) = places.get_mut(number as usize) {
                *slot = place;
            }
        }
        Order(places)
    }

    /// What is wrong with a [`Belongs::Malformed`] or [`Belongs::Unclear`].
    pub fn why(&self, malformed: usize) -> &str {
        self.whys.get(malformed).map(String::as_str).unwrap_or_default()
    }
}

/// The places of names in their order.
#[derive(Debug)]
pub struct Order(Vec<u32>);

impl Order {
    /// The place of `name`.
    pub fn place(&self, name: Name) -> u32 {
        self.0.get(name.0 as usize).copied().unwrap_or_default()
    }
}

/// How many snapshots a file of this length may have; 0 for what has none, such as a pipe. What is reserved and not used takes
/// no memory, while a list that grows is copied again and again.
fn entries_expected(file: &mut impl Seek) -> io::Result<usize> {
    let Ok(length) = file.seek(SeekFrom::End(0)) else { return Ok(0) };
    file.rewind()?;
    Ok(usize::try_from(length).unwrap_or_default() / SHORTEST)
}

impl<'a> Raw<'a> {
    fn tag(&mut self, key: &str, value: Option<Cow<'a, str>>, group_by: Option<&str>) {
        let value = value.unwrap_or_default();
        if group_by == Some(key) {
            self.group = Some(value);
        } else if group_by.is_none() && key.starts_with(set_tags::PREFIX) {
            self.ours = true;
            match key {
                set_tags::POLICY => self.policy = Some(value),
                set_tags::INSTANCE => self.instance = Some(value),
                set_tags::OCCURRENCE => self.occurrence = Some(value),
                set_tags::VOLUMES => self.volumes = Some(value),
                _ => {}
            }
        } else if group_by.is_none() && key == ebs_snapper::DELETE_ON {
            self.delete_on = Some(value);
        }
    }
}

/// `known` and how long its key is, if `rest` begins with that.
#[inline]
fn stands<K>(rest: &[u8], known: K, key: &[u8]) -> Option<(K, usize)> {
    rest.starts_with(key).then_some((known, key.len()))
}

/// What is read of a snapshot's fields.
#[derive(Clone, Copy)]
enum Field {
    Description,
    SnapshotId,
    StartTime,
    State,
    Tags,
    VolumeId,
}

impl Field {
    /// The field whose name and closing quote `rest` begins with, and how long that is.
    #[inline]
    fn known(rest: &[u8]) -> Option<(Self, usize)> {
        stands(rest, Self::Description, b"Description\"")
            .or_else(|| stands(rest, Self::SnapshotId, b"SnapshotId\""))
            .or_else(|| stands(rest, Self::StartTime, b"StartTime\""))
            .or_else(|| stands(rest, Self::State, b"State\""))
            .or_else(|| stands(rest, Self::Tags, b"Tags\""))
            .or_else(|| stands(rest, Self::VolumeId, b"VolumeId\""))
    }
}

/// A tag's two fields.
#[derive(Clone, Copy)]
enum Part {
    Key,
    Value,
}

impl Part {
    /// As [`Field::known`].
    #[inline]
    fn known(rest: &[u8]) -> Option<(Self, usize)> {
        stands(rest, Self::Key, b"Key\"").or_else(|| stands(rest, Self::Value, b"Value\""))
    }
}

fn read<'a>(raw: &mut Raw<'a>, scanner: &mut Scanner<'a>, group_by: Option<&str>) -> Result<(), Stop> {
    let mut tagged = false;
    scanner.object(Field::known, |key, scanner| {
        let slot = match key {
            Some(Field::SnapshotId) => &mut raw.id,
            Some(Field::VolumeId) => &mut raw.volume,
            Some(Field::State) => &mut raw.state,
            Some(Field::StartTime) => &mut raw.started_at,
            Some(Field::Description) => &mut raw.description,
            Some(Field::Tags) if !tagged => {
                tagged = true;
                if scanner.peek()? == b'n' {
                    return scanner.text_or_null().map(drop);
                }
                return scanner.array(|scanner| tag(scanner, raw, group_by));
            }
            Some(Field::Tags) => return Err(Stop::Odd),
            None => return scanner.skip(),
        };
        // A field that stands twice says two things.
        if slot.is_some() {
            return Err(Stop::Odd);
        }
        *slot = scanner.text_or_null()?;
        Ok(())
    })
}

fn tag<'a>(scanner: &mut Scanner<'a>, raw: &mut Raw<'a>, group_by: Option<&str>) -> Result<(), Stop> {
    let (mut key, mut value) = (None, None);
    scanner.object(Part::known, |part, scanner| {
        match part {
            Some(Part::Key) if key.is_none() => key = Some(scanner.text()?),
            Some(Part::Value) if value.is_none() => value = Some(scanner.text_or_null()?),
            Some(Part::Key | Part::Value) => return Err(Stop::Odd),
            None => scanner.skip()?,
        }
        Ok(())
    })?;
    raw.tag(&key.ok_or(Stop::Odd)?, value.flatten(), group_by);
    Ok(())
}

#[cfg(test)]
mod tests;
