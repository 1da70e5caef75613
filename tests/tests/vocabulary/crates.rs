//! A function is a crate of its own: a shim that names its task and links what the task declares, and nothing else.

use std::collections::BTreeSet;
use std::fs;

use stopgap_core::ports::Service;
use stopgap_core::tasks::{NAMES, uses};
use stopgap_tests::repository;

/// A service, the feature of stopgap-aws that has it, and the method that links it.
const SERVICES: [(Service, &str, &str); 9] = [
    (Service::Ec2, "ec2", "ec2"),
    (Service::AutoScaling, "autoscaling", "auto_scaling"),
    (Service::Alarms, "cloudwatch", "alarms"),
    (Service::LoadBalancers, "elasticloadbalancingv2", "load_balancers"),
    (Service::Keys, "kms", "keys"),
    (Service::Objects, "s3", "objects"),
    (Service::Topic, "sns", "topic"),
    (Service::Callbacks, "sfn", "callbacks"),
    (Service::Executions, "sfn", "executions"),
];

fn source(function: &str, file: &str) -> String {
    let path = repository().join("functions").join(function).join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_function_is_a_crate_and_every_other_crate_there_is_a_library() {
    let folders = fs::read_dir(repository().join("functions")).unwrap().map(|entry| entry.unwrap().path());
    let crates = folders.filter(|path| path.join("src/main.rs").exists());
    let crates: BTreeSet<String> =
        crates.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(crates, NAMES.iter().map(|name| (*name).to_owned()).collect());
    for name in NAMES {
        assert!(source(name, "Cargo.toml").contains(&format!("name = \"{name}\"\n")), "{name}");
    }
}

#[test]
fn every_function_runs_the_task_of_its_name() {
    for name in NAMES {
        let (main, module) = (source(name, "src/main.rs"), name.replace('-', "_"));
        assert!(main.contains(&format!("serve(\"{name}\", ")), "{name}");
        assert!(main.contains(&format!("{module}::run")), "{name} does not run {module}");
    }
}

#[test]
fn every_function_links_what_its_task_declares_and_nothing_else() {
    for name in NAMES {
        let (manifest, main) = (source(name, "Cargo.toml"), source(name, "src/main.rs"));
        let used: Vec<_> = SERVICES.iter().filter(|(service, ..)| uses(name).contains(service)).collect();
        let features = used.iter().map(|(_, feature, _)| *feature).chain(["lambda"]).collect::<BTreeSet<_>>();
        let features = features.iter().map(|feature| format!("\"{feature}\"")).collect::<Vec<_>>().join(", ");
        let wanted = format!("stopgap-aws = {{ workspace = true, features = [{features}] }}");
        assert!(manifest.contains(&wanted), "{name}: {wanted}");
        for (service, _, method) in &SERVICES {
            let links = main.contains(&format!(".{method}()"));
            assert_eq!(links, uses(name).contains(service), "{name} and {service:?}");
        }
    }
}

#[test]
fn a_shim_decides_nothing() {
    for name in NAMES {
        let main = source(name, "src/main.rs");
        assert!(main.lines().count() <= 30, "{name}: {} lines", main.lines().count());
        let code: String = main.lines().filter(|line| !line.starts_with("//")).collect();
        for word in ["if ", "match ", "for ", "while ", "loop "] {
            assert!(!code.contains(word), "{name} has a `{word}`");
        }
    }
}
