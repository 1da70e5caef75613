//! A single-threaded executor on virtual time.
//!
//! Nothing here reads the wall clock: time stands still while a job can run, and jumps to the next timer when none
//! can. Jobs run in the order in which they were woken, timers fire in the order of their time and then of their
//! creation, so one program on one seed always takes the same path.
//!
//! ```
//! use std::time::Duration;
//! use stopgap_sim::runtime::Runtime;
//!
//! let runtime = Runtime::new(jiff::Timestamp::UNIX_EPOCH);
//! let clock = runtime.clock();
//! let ended = runtime.block_on(async {
//!     clock.sleep(Duration::from_secs(3600)).await;
//!     clock.now()
//! });
//! assert_eq!(ended.unwrap().to_string(), "1970-01-01T01:00:00Z");
//! ```

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

type JobId = u64;
type TimerKey = (Timestamp, u64);

/// The owner of virtual time and of every job spawned on it. Dropping it drops the jobs.
pub struct Runtime {
    shared: Rc<Shared>,
}

/// A cheap handle on the time of a [`Runtime`]: reads it, waits for it, and spawns jobs that live on it.
#[derive(Clone)]
pub struct Clock {
    shared: Rc<Shared>,
}

/// A spawned job. Dropping the handle lets the job go on by itself.
pub struct JobHandle {
    id: JobId,
    shared: Rc<Shared>,
}

/// Nothing can wake the future any more: no job can run and no timer is left (or time has ended).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing can wake the future any more: no job can run and no timer is left")]
pub struct Stalled;

struct Shared {
    now: Cell<Timestamp>,
    next_id: Cell<u64>,
    timers: RefCell<BTreeMap<TimerKey, Waker>>,
    jobs: RefCell<BTreeMap<JobId, Job>>,
    ready: Arc<ReadyQueue>,
}

/// A job is out of its slot while it is polled, so that it may spawn and abort others, even itself.
struct Job {
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
    waker: Arc<JobWaker>,
}

#[derive(Default)]
struct ReadyQueue(Mutex<VecDeque<JobId>>);

impl ReadyQueue {
    fn push(&self, id: JobId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(id);
    }

    fn pop(&self) -> Option<JobId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

struct JobWaker {
    id: JobId,
    /// Already in the queue: a job woken twice runs once.
    queued: AtomicBool,
    ready: Arc<ReadyQueue>,
}

impl JobWaker {
    fn new(id: JobId, ready: &Arc<ReadyQueue>) -> Arc<Self> {
        Arc::new(Self { id, queued: AtomicBool::new(false), ready: Arc::clone(ready) })
    }
}

impl Wake for JobWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            self.ready.push(self.id);
        }
    }
}

impl Shared {
    fn fresh_id(&self) -> u64 {
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        id
    }

    fn run_job(&self, id: JobId) {
        let taken =
            self.jobs.borrow_mut().get_mut(&id).map(|job| (job.future.take(), Arc::clone(&job.waker)));
        let Some((Some(mut future), waker)) = taken else { return };
        // Cleared before the poll, so that a wake from within it queues the job again.
        waker.queued.store(false, Ordering::Relaxed);
        match future.as_mut().poll(&mut Context::from_waker(&Waker::from(waker))) {
            Poll::Ready(()) => {
                let done = self.jobs.borrow_mut().remove(&id);
                drop(done);
            }
            Poll::Pending => {
                if let Some(job) = self.jobs.borrow_mut().get_mut(&id) {
                    job.future = Some(future);
                    return;
                }
                // Aborted while it ran. Dropped here, with nothing borrowed: its destructors may spawn and abort.
                drop(future);
            }
        }
    }

    /// Moves time to the first timer, if it is not after `until`, and wakes what waits for it.
    fn fire_next_timer(&self, until: Timestamp) -> bool {
        let first = {
            let mut timers = self.timers.borrow_mut();
            match timers.first_entry() {
                Some(entry) if entry.key().0 <= until => Some(entry.remove_entry()),
                _ => None,
            }
        };
        let Some(((at, _), waker)) = first else { return false };
        if at > self.now.get() {
            self.now.set(at);
        }
        waker.wake();
        true
    }
}

impl Runtime {
    /// A runtime whose clock shows `start` until the first timer fires.
    pub fn new(start: Timestamp) -> Self {
        Self {
            shared: Rc::new(Shared {
                now: Cell::new(start),
                next_id: Cell::new(1),
                timers: RefCell::default(),
                jobs: RefCell::default(),
                ready: Arc::default(),
            }),
        }
    }

    /// A handle for the jobs: to read the time, to sleep and to spawn.
    pub fn clock(&self) -> Clock {
        Clock { shared: Rc::clone(&self.shared) }
    }

    /// Runs until no job can run and no timer is left.
    pub fn run(&self) {
        while self.step(Timestamp::MAX) {}
    }

    /// Runs everything that happens up to and including `until`; the clock then shows `until`. A time in the past
    /// runs what is due now.
    pub fn run_until(&self, until: Timestamp) {
        while self.step(until) {}
        if until > self.shared.now.get() {
            self.shared.now.set(until);
        }
    }

    /// Drives `future` to its end, and everything else as far as that takes. What is still running then stays, for
    /// a later call.
    ///
    /// Not to be called from inside a job: `.await` there.
    ///
    /// # Errors
    /// [`Stalled`] when nothing can wake the future any more.
    pub fn block_on<F: Future>(&self, future: F) -> Result<F::Output, Stalled> {
        let mut future = pin!(future);
        let id = self.shared.fresh_id();
        let waker = JobWaker::new(id, &self.shared.ready);
        Wake::wake_by_ref(&waker);
        loop {
            match self.shared.ready.pop() {
                Some(next) if next == id => {
                    waker.queued.store(false, Ordering::Relaxed);
                    let std_waker = Waker::from(Arc::clone(&waker));
                    if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&std_waker)) {
                        return Ok(output);
                    }
                }
                Some(next) => self.shared.run_job(next),
                None if self.shared.fire_next_timer(Timestamp::MAX) => {}
                None => return Err(Stalled),
            }
        }
    }

    fn step(&self, until: Timestamp) -> bool {
        match self.shared.ready.pop() {
            Some(id) => {
                self.shared.run_job(id);
                true
            }
            None => self.shared.fire_next_timer(until),
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // Jobs hold clocks and clocks hold the jobs; without this, neither would ever be freed. A destructor may
        // spawn once more, hence the loop.
        loop {
            let jobs = std::mem::take(&mut *self.shared.jobs.borrow_mut());
            if jobs.is_empty() {
                break;
            }
            drop(jobs);
        }
        let timers = std::mem::take(&mut *self.shared.timers.borrow_mut());
        drop(timers);
    }
}

impl Clock {
    /// The virtual time.
    pub fn now(&self) -> Timestamp {
        self.shared.now.get()
    }

    /// Waits for `duration` of virtual time; one that leaves the range of [`Timestamp`] waits for its end.
    pub async fn sleep(&self, duration: Duration) {
        let until = SignedDuration::try_from(duration)
            .ok()
            .and_then(|duration| self.now().checked_add(duration).ok())
            .unwrap_or(Timestamp::MAX);
        self.sleep_until(until).await;
    }

    /// Waits until the virtual time is `until`; a time that has passed does not wait at all.
    pub async fn sleep_until(&self, until: Timestamp) {
        Sleep { shared: Rc::clone(&self.shared), until, timer: None }.await;
    }

    /// Starts a job of its own. It runs when everything that was ready before it has run.
    pub fn spawn<F: Future<Output = ()> + 'static>(&self, future: F) -> JobHandle {
        let id = self.shared.fresh_id();
        let waker = JobWaker::new(id, &self.shared.ready);
        Wake::wake_by_ref(&waker);
        let job = Job { future: Some(Box::pin(future)), waker };
        self.shared.jobs.borrow_mut().insert(id, job);
        JobHandle { id, shared: Rc::clone(&self.shared) }
    }
}

impl JobHandle {
    /// Ends the job where it waits: its future is dropped. Nothing happens if it has ended.
    pub fn abort(&self) {
        let job = self.shared.jobs.borrow_mut().remove(&self.id);
        drop(job);
    }

    /// Whether the job has come to its end or was aborted.
    pub fn is_finished(&self) -> bool {
        !self.shared.jobs.borrow().contains_key(&self.id)
    }
}

struct Sleep {
    shared: Rc<Shared>,
    until: Timestamp,
    timer: Option<TimerKey>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.shared.now.get() >= self.until {
            return Poll::Ready(());
        }
        let key = match self.timer {
            Some(key) => key,
            None => (self.until, self.shared.fresh_id()),
        };
        self.timer = Some(key);
        self.shared.timers.borrow_mut().insert(key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        // A timer nobody waits for must not move time.
        if let Some(key) = self.timer {
            let timer = self.shared.timers.borrow_mut().remove(&key);
            drop(timer);
        }
    }
}
