//! The configuration of a function: from its environment alone, checked when it starts. Who starts it reads the
//! environment; this reads what it says.

use std::collections::BTreeMap;
use std::fmt;

use crate::inventory::Location;
use crate::ports::{PruneMode, Service, Settings};
use crate::span::Span;
use jiff::SignedDuration;

/// A variable that functions read.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Which functions need it: all, or those that use one of these services.
    pub for_: Needed,
    /// What it is where it is not set; without one it must be set.
    pub default: Option<&'static str>,
    /// What it says.
    pub meaning: &'static str,
}

/// Which functions a variable is for.
#[derive(Debug)]
pub enum Needed {
    /// Every function.
    All,
    /// Those that use one of these services.
    For(&'static [Service]),
}

/// Every variable there is. The README's table is made from it.
pub const VARIABLES: &[Variable] = &[
    Variable {
        name: "STOPGAP_TABLE",
        for_: Needed::All,
        default: None,
        meaning: "The name of the DynamoDB table.",
    },
    Variable {
        name: "STOPGAP_ACCOUNT",
        for_: Needed::All,
        default: None,
        meaning: "The account that stopgap is deployed in: twelve digits.",
    },
    Variable {
        name: "AWS_REGION",
        for_: Needed::All,
        default: None,
        meaning: "The Region that stopgap is deployed in. Lambda sets it.",
    },
    Variable {
        name: "STOPGAP_BUCKET",
        for_: Needed::For(&[Service::Objects]),
        default: None,
        meaning: "The bucket for plans.",
    },
    Variable {
        name: "STOPGAP_TOPIC_ARN",
        for_: Needed::For(&[Service::Topic]),
        default: None,
        meaning: "The topic for tickets.",
    },
    Variable {
        name: "STOPGAP_CHAT_TOPIC_ARN",
        for_: Needed::For(&[Service::Topic]),
        default: Some(""),
        meaning: "The topic that chat applications hear tickets from. Empty: none.",
    },
    Variable {
        name: "STOPGAP_EXTERNAL_ID",
        for_: Needed::For(&[
            Service::Ec2,
            Service::AutoScaling,
            Service::Alarms,
            Service::LoadBalancers,
            Service::Keys,
        ]),
        default: Some(""),
        meaning: "What the roles in other accounts ask for. Empty: none.",
    },
    Variable {
        name: "STOPGAP_PRUNE",
        for_: Needed::All,
        default: Some("report"),
        meaning: "What pruning does with what retention no longer keeps: `report` or `delete`.",
    },
    Variable {
        name: "STOPGAP_READ_LAG",
        for_: Needed::All,
        default: Some("30s"),
        meaning: "How long EC2's reads may lag behind its writes.",
    },
    Variable {
        name: "STOPGAP_STOP_LIMIT",
        for_: Needed::All,
        default: Some("20m"),
        meaning: "How long an instance may take to stop.",
    },
    Variable {
        name: "STOPGAP_RUN_LIMIT",
        for_: Needed::All,
        default: Some("10m"),
        meaning: "How long an instance may take from its start to `running`.",
    },
    Variable {
        name: "STOPGAP_COMPLETION_LIMIT",
        for_: Needed::All,
        default: Some("48h"),
        meaning: "How long snapshots may take to complete.",
    },
    Variable {
        name: "STOPGAP_RESTART_LIMIT",
        for_: Needed::All,
        default: Some("24h"),
        meaning: "How long a run goes on trying to start an instance.",
    },
    Variable {
        name: "STOPGAP_LOG_LEVEL",
        for_: Needed::All,
        default: Some("info"),
        meaning: "`error`, `warn`, `info`, `debug` or `trace` for stopgap's own lines; or targets, such as `info,aws_smithy_runtime=debug`.",
    },
];

/// What is wrong with an environment: everything at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct EnvironmentError(pub Vec<String>);

impl fmt::Display for EnvironmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

/// A function's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// The table's name.
    pub table: String,
    /// What the tasks are told.
    pub settings: Settings,
    /// The planning bucket, where the function uses it.
    pub bucket: Option<String>,
    /// The ticket topic, where the function uses it.
    pub topic_arn: Option<String>,
    /// The topic for chat applications, where there is one.
    pub chat_topic_arn: Option<String>,
    /// What other accounts' roles ask for.
    pub external_id: Option<String>,
    /// The level of logs.
    pub log_level: String,
}

impl Configuration {
    /// Reads the configuration of a function that uses `services`.
    ///
    /// # Errors
    /// Every variable that is missing or wrong, with what would be right.
    pub fn read(
        variables: &BTreeMap<String, String>,
        services: &[Service],
    ) -> Result<Self, EnvironmentError> {
        let mut reader = Reader { variables, services, wrong: Vec::new() };
        let account = reader.text("STOPGAP_ACCOUNT");
        let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        if !account.is_empty() && !is_account {
            reader.wrong("STOPGAP_ACCOUNT", &account, "an account id of twelve digits");
        }
        let home = Location { account, region: reader.text("AWS_REGION"), role: None };
        let prune = match reader.text("STOPGAP_PRUNE").as_str() {
            "delete" => PruneMode::Delete,
            "report" => PruneMode::Report,
            other => {
                reader.wrong("STOPGAP_PRUNE", other, "`report` or `delete`");
                PruneMode::Report
            }
        };
        let settings = Settings {
            home,
            read_lag: reader.duration("STOPGAP_READ_LAG"),
            stop_limit: reader.duration("STOPGAP_STOP_LIMIT"),
            run_limit: reader.duration("STOPGAP_RUN_LIMIT"),
            completion_limit: reader.duration("STOPGAP_COMPLETION_LIMIT"),
            restart_limit: reader.duration("STOPGAP_RESTART_LIMIT"),
            prune,
        };
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        let topic_arn = some(reader.text("STOPGAP_TOPIC_ARN"));
        let chat_topic_arn = some(reader.text("STOPGAP_CHAT_TOPIC_ARN"));
        if let Some(chat) =
            chat_topic_arn.as_deref().filter(|chat| !is_another_topic(chat, topic_arn.as_deref()))
        {
            reader.wrong(
                "STOPGAP_CHAT_TOPIC_ARN",
                chat,
                "the ARN of an SNS topic other than STOPGAP_TOPIC_ARN",
            );
        }
        let configuration = Self {
            table: reader.text("STOPGAP_TABLE"),
            settings,
            bucket: some(reader.text("STOPGAP_BUCKET")),
            topic_arn,
            chat_topic_arn,
            external_id: some(reader.text("STOPGAP_EXTERNAL_ID")),
            log_level: reader.text("STOPGAP_LOG_LEVEL"),
        };
        if reader.wrong.is_empty() { Ok(configuration) } else { Err(EnvironmentError(reader.wrong)) }
    }
}

/// Whether the ARN is a topic's, and not the ticket topic's: chat applications show only what is in their own format, and
/// nobody else can read that.
fn is_another_topic(arn: &str, tickets: Option<&str>) -> bool {
    let parts: Vec<&str> = arn.split(':').collect();
    matches!(parts[..], ["arn", _, "sns", _, _, _]) && tickets != Some(arn)
}

struct Reader<'a> {
    variables: &'a BTreeMap<String, String>,
    services: &'a [Service],
    wrong: Vec<String>,
}

impl Reader<'_> {
    /// The variable's text, its default, or nothing where the function does not need it.
    fn text(&mut self, name: &str) -> String {
        let Some(variable) = VARIABLES.iter().find(|variable| variable.name == name) else {
            self.wrong.push(format!("{name} is not among the variables"));
            return String::new();
        };
        let is_needed = match variable.for_ {
            Needed::All => true,
            Needed::For(services) => services.iter().any(|service| self.services.contains(service)),
        };
        if !is_needed {
            return String::new();
        }
        match (self.variables.get(name).filter(|value| !value.is_empty()), variable.default) {
            (Some(value), _) => value.clone(),
            (None, Some(default)) => default.to_owned(),
            (None, None) => {
                self.wrong.push(format!("the environment lacks {name}: {}", variable.meaning));
                String::new()
            }
        }
    }

    fn duration(&mut self, name: &str) -> SignedDuration {
        let text = self.text(name);
        let exact = text.parse::<Span>().ok().and_then(|span| span.exact());
        exact.unwrap_or_else(|| {
            self.wrong(
                name,
                &text,
                "a duration in days, hours, minutes and seconds, such as `20m` or `1h 30m`",
            );
            SignedDuration::ZERO
        })
    }

    fn wrong(&mut self, name: &str, value: &str, right: &str) {
        self.wrong.push(format!("{name} is `{value}`: write {right}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let least =
            [("STOPGAP_TABLE", "stopgap"), ("STOPGAP_ACCOUNT", "123456789012"), ("AWS_REGION", "eu-west-1")];
        least.iter().chain(pairs).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_not_set_is_what_core_takes_for_the_default() {
        let configuration = Configuration::read(&variables(&[]), &[Service::Ec2]).unwrap();
        let home =
            Location { account: "123456789012".to_owned(), region: "eu-west-1".to_owned(), role: None };
        assert_eq!(configuration.settings, Settings::new(home));
        assert_eq!(configuration.external_id, None);
        assert_eq!(configuration.log_level, "info");
    }

    #[test]
    fn every_mistake_is_told_at_once_with_what_would_be_right() {
        let wrong = variables(&[
            ("STOPGAP_ACCOUNT", "12"),
            ("STOPGAP_PRUNE", "yes"),
            ("STOPGAP_STOP_LIMIT", "1mo"),
            ("STOPGAP_TABLE", ""),
        ]);
        let EnvironmentError(wrong) = Configuration::read(&wrong, &[Service::Topic]).unwrap_err();
        for name in
            ["STOPGAP_ACCOUNT", "STOPGAP_PRUNE", "STOPGAP_STOP_LIMIT", "STOPGAP_TABLE", "STOPGAP_TOPIC_ARN"]
        {
            assert!(wrong.iter().any(|message| message.contains(name)), "{name}: {wrong:?}");
        }
        assert_eq!(wrong.len(), 5, "{wrong:?}");
    }

    #[test]
    fn the_topic_of_chat_applications_is_optional_and_is_another_topic() {
        let topic = "arn:aws:sns:eu-west-1:123456789012:stopgap-tickets";
        let read = |chat: &str| {
            let set = variables(&[("STOPGAP_TOPIC_ARN", topic), ("STOPGAP_CHAT_TOPIC_ARN", chat)]);
            Configuration::read(&set, &[Service::Topic]).map(|configuration| configuration.chat_topic_arn)
        };
        let chat = "arn:aws-cn:sns:cn-north-1:123456789012:stopgap-chat";
        assert_eq!((read(""), read(chat)), (Ok(None), Ok(Some(chat.to_owned()))));
        for wrong in [topic, "stopgap-chat", "arn:aws:sqs:eu-west-1:123456789012:stopgap-chat"] {
            let EnvironmentError(told) = read(wrong).unwrap_err();
            assert!(told[0].contains("STOPGAP_CHAT_TOPIC_ARN") && told.len() == 1, "{wrong}: {told:?}");
        }
    }

    #[test]
    fn a_function_needs_only_what_it_uses() {
        assert_eq!(Configuration::read(&variables(&[]), &[]).unwrap().bucket, None);
        assert!(Configuration::read(&variables(&[]), &[Service::Objects]).is_err());
    }
}
