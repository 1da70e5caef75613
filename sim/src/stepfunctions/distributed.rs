//! The Distributed Map state: each item, or batch of items, is an execution of its own, and all of them are a Map Run.

use std::borrow::Cow;
use std::rc::Rc;

use futures::StreamExt;
use futures::future::LocalBoxFuture;
use futures::stream::FuturesUnordered;
use serde_json::{Value, json};

use super::context::Entered;
use super::execution::{Execution, ExecutionKind, Line, Status};
use super::failure::{Failure, MAX_PAYLOAD};
use super::inline_map::{concurrency, items, select};
use super::items as reader;
use super::parallel::lines;
use super::results;
use super::service::{Service, Start};
use crate::asl::StateMachine;
use crate::asl::model::{Batcher, Distributed, Map};

/// AWS: up to 10,000 children at once.
const MAX_CONCURRENCY: usize = 10_000;

/// How much of a Map Run may fail.
struct Tolerance {
    count: Option<u64>,
    percentage: Option<f64>,
    total: usize,
}

impl Tolerance {
    /// AWS: the Map Run fails when either threshold is passed; without any, with the first failure.
    fn is_exceeded(&self, failed: usize) -> bool {
        match (self.count, self.percentage) {
            (None, None) => failed > 0,
            (count, percentage) => {
                #[allow(clippy::cast_precision_loss, reason = "numbers of items are far below 2^52")]
                let share = failed as f64 * 100.0 / self.total.max(1) as f64;
                count.is_some_and(|count| failed as u64 > count)
                    || percentage.is_some_and(|percentage| share > percentage)
            }
        }
    }
}

/// The children that are running; dropping this stops them.
struct Children {
    service: Rc<Service>,
    arns: Vec<String>,
}

impl Drop for Children {
    fn drop(&mut self) {
        for arn in &self.arns {
            self.service.stop(arn, None, None);
        }
    }
}

/// The input of one child, and how many items are in it.
struct Batch {
    input: Value,
    items: usize,
}

pub(super) async fn run(
    entered: &mut Entered<'_>,
    map: &Map,
    distributed: &Distributed,
    input: &Value,
) -> Result<Value, Failure> {
    let thread = entered.thread;
    let service = thread.service;
    let limit = concurrency(entered, map, input, MAX_CONCURRENCY)?;
    let given = match &map.reader {
        Some(_) => None,
        None => Some(items(entered, map, input)?),
    };
    // AWS: the length is that of the input's array, and 0 when an ItemReader is yet to read the items.
    let details = vec![("length", json!(given.as_ref().map_or(0, Vec::len)))];
    thread.event("MapStateStarted", Some(("mapStateStartedEventDetails", details)))?;
    entered.is_open = true;
    // AWS reads what is tolerated only now.
    let count = distributed.tolerated_count.as_ref().map(|count| {
        entered.map_count(count, "ToleratedFailureCountPath", input, |_| {
            entered.broken("ToleratedFailureCount cannot be negative.")
        })
    });
    let percentage =
        distributed.tolerated_percentage.as_ref().map(|percentage| entered.percentage(percentage, input));
    let (count, percentage) = (count.transpose()?, percentage.transpose()?);
    let label = distributed.label.as_deref().unwrap_or(entered.name);
    let map_run = service.arn(&format!("mapRun:{}/{label}:{}", thread.run.machine_name, service.uuid()));
    let details = vec![("mapRunArn", Value::from(map_run.as_str()))];
    let started = thread.event("MapRunStarted", Some(("mapRunStartedEventDetails", details)))?;
    let family = Family {
        service,
        machine: Rc::new(StateMachine::of_graph(map.processor.clone())),
        machine_arn: service.arn(&format!("stateMachine:{}/{label}", thread.run.machine_name)),
        parent: &format!("{}/{label}", thread.run.machine_name),
        kind: if distributed.express { ExecutionKind::Express } else { ExecutionKind::Standard },
        map_run: &map_run,
    };
    let outcome = async {
        let items = match (&map.reader, given) {
            (Some(source), _) => reader::read(entered, source, input).await?,
            (None, given) => given.unwrap_or_default(),
        };
        let tolerance = Tolerance { count, percentage, total: items.len() };
        let batches = inputs(entered, map, distributed, &items, input)?;
        // What succeeded is kept for a redrive, which runs only the rest.
        let lines = lines(thread, batches.len(), |_| Line::default());
        family.raise(&batches, &lines, limit, &tolerance).await?;
        results::of(entered, distributed.writer.as_ref(), &map_run, &lines, input)
    }
    .await;
    match outcome {
        Ok(result) => {
            thread.event("MapRunSucceeded", None)?;
            entered.is_open = false;
            thread.side_event("MapStateSucceeded", None)?;
            // As recorded: the state is left from where its run started.
            thread.line.last_event.set(started);
            Ok(result)
        }
        Err(failure) => {
            if !failure.is_runtime() {
                thread.event("MapRunFailed", Some(("mapRunFailedEventDetails", failure.details())))?;
            }
            Err(failure)
        }
    }
}

/// The inputs of the children: an item each, or a batch of them.
fn inputs(
    entered: &mut Entered<'_>,
    map: &Map,
    distributed: &Distributed,
    items: &[Value],
    input: &Value,
) -> Result<Vec<Batch>, Failure> {
    let mut inputs = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        inputs.push(select(entered, map, index, item, input)?);
    }
    match &distributed.batcher {
        Some(batcher) => batches(entered, batcher, inputs, input),
        None => Ok(inputs.into_iter().map(|input| Batch { input, items: 1 }).collect()),
    }
}

/// What the children of a Map Run have in common.
struct Family<'a> {
    service: &'a Rc<Service>,
    machine: Rc<StateMachine>,
    machine_arn: String,
    parent: &'a str,
    kind: ExecutionKind,
    map_run: &'a str,
}

impl Family<'_> {
    /// Runs all children, so many at once, until all have ended or too many have failed.
    async fn raise(
        &self,
        batches: &[Batch],
        lines: &[Rc<Line>],
        limit: usize,
        tolerance: &Tolerance,
    ) -> Result<(), Failure> {
        let mut children = Children { service: Rc::clone(self.service), arns: Vec::new() };
        let mut running = FuturesUnordered::new();
        let mut waiting = batches.iter().zip(lines).filter(|(_, line)| line.output.borrow().is_none());
        let mut failed = 0;
        loop {
            while running.len() < limit {
                let Some((batch, line)) = waiting.next() else { break };
                let (arn, end) = self.start(batch.input.clone());
                *line.child.borrow_mut() = Some(arn.clone());
                children.arns.push(arn);
                running.push(async move { (batch, line, end.await) });
            }
            let Some((batch, line, end)) = running.next().await else { return Ok(()) };
            let Some(end) = end else { continue };
            if end.status == Status::Succeeded {
                *line.output.borrow_mut() = end.output;
                continue;
            }
            failed += batch.items;
            if tolerance.is_exceeded(failed) {
                return Err(Failure::new(
                    "States.ExceedToleratedFailureThreshold",
                    "The specified tolerated failure threshold was exceeded",
                ));
            }
        }
    }

    fn start(&self, input: Value) -> (String, LocalBoxFuture<'static, Option<Execution>>) {
        let name = self.service.uuid();
        let arn = match self.kind {
            ExecutionKind::Standard => self.service.arn(&format!("execution:{}:{name}", self.parent)),
            ExecutionKind::Express => {
                self.service.arn(&format!("express:{}:{name}:{}", self.parent, self.service.uuid()))
            }
        };
        self.service.launch(Start {
            arn: arn.clone(),
            name,
            machine_arn: self.machine_arn.clone(),
            machine_name: self.parent.to_owned(),
            machine: Rc::clone(&self.machine),
            kind: self.kind,
            map_run_arn: Some(self.map_run.to_owned()),
            input,
        });
        let (service, child) = (Rc::clone(self.service), arn.clone());
        (arn, Box::pin(async move { service.ended(&child).await }))
    }
}

/// Puts items together, as `ItemBatcher` says: `{"BatchInput": ..., "Items": [...]}`.
fn batches(
    entered: &Entered<'_>,
    batcher: &Batcher,
    items: Vec<Value>,
    input: &Value,
) -> Result<Vec<Batch>, Failure> {
    let number = |count: &Option<_>, field| {
        count.as_ref().map(|count| entered.number(count, field, 1, input)).transpose()
    };
    let max_items = number(&batcher.max_items, "MaxItemsPerBatchPath")?.unwrap_or(u64::MAX);
    // AWS: no child is started with more than 256 KiB.
    let max_bytes =
        number(&batcher.max_bytes, "MaxInputBytesPerBatchPath")?.unwrap_or(u64::MAX).min(MAX_PAYLOAD as u64);
    let batch_input = match &batcher.input {
        Some(template) => Some(entered.fill(Some(template), Cow::Borrowed(input))?),
        None => None,
    };
    let wrap = |items: &[Value]| match &batch_input {
        Some(input) => json!({"BatchInput": input, "Items": items}),
        None => json!({"Items": items}),
    };
    let overhead = wrap(&[]).to_string().len();
    let mut batches = Vec::new();
    let mut open: Vec<Value> = Vec::new();
    let mut bytes = overhead;
    for item in items {
        // One more for the comma.
        let length = item.to_string().len() + 1;
        if !open.is_empty() && (open.len() as u64 >= max_items || (bytes + length) as u64 > max_bytes) {
            batches.push(Batch { input: wrap(&open), items: open.len() });
            open.clear();
            bytes = overhead;
        }
        bytes += length;
        open.push(item);
    }
    if !open.is_empty() {
        batches.push(Batch { input: wrap(&open), items: open.len() });
    }
    Ok(batches)
}
