//! `stopgap asl`: any state machine, on the engine that runs stopgap's own.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use clap::Subcommand;
use jiff::Timestamp;
use serde_json::Value;
use stopgap_sim::asl::StateMachine;
use stopgap_sim::runtime::Runtime;
use stopgap_sim::stepfunctions::{ObjectStore, Settings, StepFunctions, TaskRunner};

use crate::BadInput;
use crate::output::Format;

mod draw;
mod objects;
mod report;
mod script;

/// The arguments of `stopgap asl`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Say whether a definition is sound, and if not, everything that is wrong with it.
    Check {
        /// The definition; - for stdin.
        file: PathBuf,
    },
    /// Draw a definition as a Mermaid flowchart.
    Draw {
        /// The definition; - for stdin.
        file: PathBuf,
        /// Put a box around the states from STATE on, in the order of the file; repeatable. Ends stand outside.
        #[arg(long = "section", value_name = "TITLE=STATE")]
        sections: Vec<draw::Section>,
        /// Draw this section alone, with what leads into it and out of it.
        #[arg(long, value_name = "TITLE")]
        only: Option<String>,
    },
    /// Run a definition on virtual time, and show how it ended. Exits with 0 whatever the status.
    Run(RunArgs),
}

#[derive(clap::Args)]
struct RunArgs {
    /// The definition; - for stdin.
    file: PathBuf,
    /// The input, as JSON; - for stdin. Without it, {}.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// What each Task does, as JSON: {"StateName": [{"return": ...}, {"fail": {"error": ..., "cause": ...}}]}. Outcomes
    /// are used in order; the last one repeats.
    #[arg(long, value_name = "FILE")]
    tasks: Option<PathBuf>,
    /// What item readers read: objects are files DIR/bucket/key.
    #[arg(long, value_name = "DIR")]
    s3: Option<PathBuf>,
    /// When the execution starts, in RFC 3339.
    #[arg(long, value_name = "TIME", default_value = "2026-01-01T00:00:00Z")]
    start_time: Timestamp,
    /// Where jitter, States.UUID and States.MathRandom come from.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    seed: u64,
}

/// Runs the command.
pub(crate) fn run(args: Args, format: Format) -> Result<(), BadInput> {
    match args.command {
        Command::Check { file } => check(&file),
        Command::Draw { file, sections, only } => draw(&file, &sections, only.as_deref()),
        Command::Run(args) => execute(&args, format),
    }
}

fn check(file: &Path) -> Result<(), BadInput> {
    let machine = definition(file)?;
    for warning in machine.warnings() {
        eprintln!("warning: {}: {warning}", show(file));
    }
    report::print(&format!("ok: {}\n", show(file)));
    Ok(())
}

fn draw(file: &Path, sections: &[draw::Section], only: Option<&str>) -> Result<(), BadInput> {
    let text = read(file)?;
    sound(file, &text)?;
    let definition = serde_json::from_str(&text)
        .map_err(|error| BadInput::one(format!("{}: is not valid JSON: {error}", show(file))))?;
    report::print(&draw::draw(&definition, sections, only)?);
    Ok(())
}

fn execute(args: &RunArgs, format: Format) -> Result<(), BadInput> {
    let files = [Some(&args.file), args.input.as_ref(), args.tasks.as_ref()];
    if files.into_iter().flatten().filter(|file| is_stdin(file)).count() > 1 {
        return Err(BadInput::one("only one of the files can be stdin (-)"));
    }
    let machine = definition(&args.file)?;
    let input = args.input.as_deref().map_or_else(|| Ok(Value::Object(serde_json::Map::new())), json)?;
    let runtime = Runtime::new(args.start_time);
    let tasks = match &args.tasks {
        Some(file) => script::parse(&json(file)?, &machine.task_names()).map_err(|errors| {
            BadInput(errors.iter().map(|error| format!("{}: {error}", show(file))).collect())
        })?,
        None => script::Tasks::default(),
    };
    let script = Rc::new(script::Script::new(tasks, runtime.clock()));
    let objects = args
        .s3
        .clone()
        .map(|root| Rc::new(objects::Directory::new(root, args.start_time)) as Rc<dyn ObjectStore>);
    let settings = Settings { seed: args.seed, objects, delegate_nested: true, ..Settings::default() };
    let service = StepFunctions::new(runtime.clock(), Rc::clone(&script) as Rc<dyn TaskRunner>, settings);
    script.answer_tokens_of(&service);

    let machine = service.create_state_machine("StateMachine", machine);
    let arn = service.start_execution(&machine, Some("execution"), input).map_err(|error| {
        BadInput::one(format!("{}: {error}", args.input.as_deref().map_or_else(String::new, show)))
    })?;
    runtime.run();
    if let Some(state) = script.missing() {
        return Err(BadInput::one(format!(
            "Task {state:?} was reached, but has no script; give it outcomes in --tasks: {{{state:?}: [{{\"return\": ...}}]}}"
        )));
    }
    let Some(execution) = service.describe_execution(&arn) else {
        return Err(BadInput::one("the execution was not started"));
    };
    let events = service.history(&arn);
    report::print(&if format == Format::Json {
        report::json(&execution, &events)
    } else {
        report::text(&execution, &events)
    });
    Ok(())
}

fn definition(file: &Path) -> Result<StateMachine, BadInput> {
    sound(file, &read(file)?)
}

fn sound(file: &Path, text: &str) -> Result<StateMachine, BadInput> {
    StateMachine::parse(text)
        .map_err(|errors| BadInput(errors.iter().map(|error| format!("{}: {error}", show(file))).collect()))
}

fn json(file: &Path) -> Result<Value, BadInput> {
    serde_json::from_str(&read(file)?)
        .map_err(|error| BadInput::one(format!("{}: is not valid JSON: {error}", show(file))))
}

fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn show(file: &Path) -> String {
    if is_stdin(file) { "stdin".to_owned() } else { file.display().to_string() }
}

fn read(file: &Path) -> Result<String, BadInput> {
    let outcome = if is_stdin(file) {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(file)
    };
    let bytes = outcome.map_err(|error| BadInput::one(format!("{}: cannot be read: {error}", show(file))))?;
    // Editors on Windows put a byte order mark in front.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    String::from_utf8(bytes.to_vec()).map_err(|_| BadInput::one(format!("{}: is not UTF-8 text", show(file))))
}
