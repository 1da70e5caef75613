//! What there is to say about what is imported: what is different now, and what has no equivalent.

use serde::Serialize;

use super::super::stanzas::Stanza;
use super::{Imported, Wishes};

/// How much of a part is carried over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in super::super) enum Kind {
    /// All of it, with a difference that may matter.
    Note,
    /// Nothing of this part: there is no equivalent, and the policy does without.
    Lost,
    /// Nothing of the stanza: there is no policy for it.
    Refused,
}

/// What there is to say about a part of a stanza, or about all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(in super::super) struct Note {
    /// The stanza; absent where it is about all of them.
    pub(in super::super) stanza: Option<String>,
    /// The part of it: `snapshot.frequency`.
    pub(in super::super) part: String,
    pub(in super::super) kind: Kind,
    /// What is different, or why there is no equivalent.
    pub(in super::super) message: String,
    /// What can be done.
    pub(in super::super) hint: Option<String>,
}

/// What is found while one stanza is turned into a policy.
pub(super) struct Notes<'s> {
    pub(super) stanza: &'s Stanza,
    pub(super) found: Vec<Note>,
}

impl Notes<'_> {
    pub(super) fn add(&mut self, kind: Kind, part: &str, message: impl Into<String>, hint: Option<String>) {
        let stanza = Some(self.stanza.name().to_owned());
        self.found.push(Note { stanza, part: part.to_owned(), kind, message: message.into(), hint });
    }

    /// Nothing, and why.
    pub(super) fn refused<T>(&mut self, part: &str, message: impl Into<String>, hint: &str) -> Option<T> {
        self.add(Kind::Refused, part, message, Some(hint.to_owned()));
        None
    }
}

/// What is to be said once.
pub(super) fn about_all(imported: &mut Imported, stanzas: &[Stanza], wishes: &Wishes<'_>) {
    if imported.policies.is_empty() {
        return;
    }
    let mut note = |part: &str, message: &str, hint: &str| {
        imported.notes.push(Note {
            stanza: None,
            part: part.to_owned(),
            kind: Kind::Note,
            message: message.to_owned(),
            hint: Some(hint.to_owned()),
        });
    };
    note(
        "snapshot.minimum",
        "it counted all snapshots of a volume, those being made, failed and made by others too, and was undercut; \
         `at_least` is a floor of complete sets of the instance",
        "`stopgap retention` shows what is kept",
    );
    note(
        "snapshot.retention",
        "it was counted from the day of the snapshot; `keep_for` is counted back from the newest complete set, so that \
         nothing more is deleted while backups fail",
        "`stopgap retention` shows what is kept",
    );
    note(
        "consistency",
        "ebs_snapper never stopped an instance, so that these policies do not either (`crash`)",
        "write `\"consistency\": \"stop\"` where the data is only safe to copy while the instance is stopped",
    );
    if wishes.regions.is_empty() {
        note(
            "targets",
            "ebs_snapper looked in every Region; a policy that names none is for the Region that stopgap is deployed in",
            "name them: `--regions us-east-1,eu-west-1`",
        );
    }
    if !wishes.adopt {
        note(
            "adopt",
            "what ebs_snapper made stays as it is, and nothing deletes it any more once ebs_snapper is turned off",
            "with `--adopt` the policies count and prune it as their own",
        );
    }
    if stanzas.len() > 1 {
        note(
            "match",
            "of several stanzas that match an instance ebs_snapper used one, in no order; now each policy makes backups \
             of its own",
            "`stopgap plan` names the instances that several policies select",
        );
    }
}
