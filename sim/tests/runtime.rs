//! The executor: order, time, and jobs that end one another.

#![allow(clippy::unwrap_used, reason = "these are tests; clippy only sees that in #[test] functions")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use stopgap_sim::runtime::{JobHandle, Runtime, Stalled};

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

#[test]
fn time_moves_only_to_the_next_timer() {
    let runtime = Runtime::new(start());
    let clock = runtime.clock();
    let seen = runtime.block_on(async {
        clock.sleep(Duration::from_millis(1500)).await;
        clock.now()
    });
    assert_eq!(seen.unwrap().to_string(), "2026-01-01T00:00:01.5Z");
}

#[test]
fn timers_of_the_same_moment_fire_in_the_order_they_were_set() {
    let runtime = Runtime::new(start());
    let log = Rc::new(RefCell::new(Vec::new()));
    for (name, seconds) in [("c", 2), ("a", 1), ("b", 1)] {
        let (clock, log) = (runtime.clock(), Rc::clone(&log));
        runtime.clock().spawn(async move {
            clock.sleep(Duration::from_secs(seconds)).await;
            log.borrow_mut().push(name);
        });
    }
    runtime.run();
    assert_eq!(*log.borrow(), ["a", "b", "c"]);
}

#[test]
fn run_until_stops_the_clock_there_and_goes_on_later() {
    let runtime = Runtime::new(start());
    let done = Rc::new(Cell::new(false));
    let (clock, flag) = (runtime.clock(), Rc::clone(&done));
    runtime.clock().spawn(async move {
        clock.sleep(Duration::from_secs(10)).await;
        flag.set(true);
    });
    let noon: Timestamp = "2026-01-01T00:00:05Z".parse().unwrap();
    runtime.run_until(noon);
    assert!(!done.get());
    assert_eq!(runtime.clock().now(), noon);
    runtime.run();
    assert!(done.get());
}

#[test]
fn a_future_nobody_can_wake_is_reported_as_stalled() {
    let runtime = Runtime::new(start());
    assert_eq!(runtime.block_on(std::future::pending::<()>()), Err(Stalled));
}

#[test]
fn a_timer_that_nobody_waits_for_does_not_move_time() {
    let runtime = Runtime::new(start());
    let clock = runtime.clock();
    let job = {
        let clock = clock.clone();
        runtime.clock().spawn(async move { clock.sleep(Duration::from_secs(3600)).await })
    };
    runtime.run_until(start());
    job.abort();
    assert!(job.is_finished());
    runtime.run();
    assert_eq!(clock.now(), start());
}

#[test]
fn a_job_may_abort_itself_and_others_while_it_runs() {
    let runtime = Runtime::new(start());
    let clock = runtime.clock();
    let own: Rc<RefCell<Option<JobHandle>>> = Rc::default();
    let reached = Rc::new(Cell::new(0));
    let victim = {
        let (clock, reached) = (clock.clone(), Rc::clone(&reached));
        clock.clone().spawn(async move {
            clock.sleep(Duration::from_secs(2)).await;
            reached.set(reached.get() + 1);
        })
    };
    let handle = {
        let (inner, own, reached) = (clock.clone(), Rc::clone(&own), Rc::clone(&reached));
        clock.spawn(async move {
            inner.sleep(Duration::from_secs(1)).await;
            victim.abort();
            if let Some(own) = own.borrow().as_ref() {
                own.abort();
            }
            inner.sleep(Duration::from_secs(1)).await;
            reached.set(reached.get() + 10);
        })
    };
    *own.borrow_mut() = Some(handle);
    runtime.run();
    assert_eq!(reached.get(), 0);
}

#[test]
fn a_job_spawned_by_the_destructor_of_an_aborted_one_still_runs() {
    struct SpawnOnDrop(stopgap_sim::runtime::Clock, Rc<Cell<bool>>);
    impl Drop for SpawnOnDrop {
        fn drop(&mut self) {
            let ran = Rc::clone(&self.1);
            self.0.spawn(async move { ran.set(true) });
        }
    }
    let runtime = Runtime::new(start());
    let ran = Rc::new(Cell::new(false));
    let guard = SpawnOnDrop(runtime.clock(), Rc::clone(&ran));
    let job = runtime.clock().spawn(async move {
        let _guard = guard;
        std::future::pending::<()>().await;
    });
    runtime.run();
    job.abort();
    runtime.run();
    assert!(ran.get());
}

#[test]
fn dropping_the_runtime_frees_the_jobs_that_never_ended() {
    let kept = Rc::new(());
    let runtime = Runtime::new(start());
    let (clock, inside) = (runtime.clock(), Rc::clone(&kept));
    runtime.clock().spawn(async move {
        let _inside = inside;
        clock.sleep(Duration::from_secs(60)).await;
    });
    runtime.run_until(start());
    drop(runtime);
    assert_eq!(Rc::strong_count(&kept), 1);
}

#[test]
fn a_sleep_longer_than_time_itself_waits_for_the_end_of_time() {
    let runtime = Runtime::new(start());
    let clock = runtime.clock();
    runtime.block_on(async { clock.sleep(Duration::MAX).await }).unwrap();
    assert_eq!(clock.now(), Timestamp::MAX);
}
