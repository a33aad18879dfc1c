//! Baseline: a message to one actix actor on a polled `LocalSet`, a number in each direction. Times
//! of the host are given as multiples of it.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

use actix::{Actor, Handler, Message, Recipient};
use tokio::sync::oneshot;
use tokio::task::LocalSet;

/// Actor that adds up numbers.
struct Adder(u64);

struct Add(u64, oneshot::Sender<u64>);

impl Message for Add {
    type Result = ();
}

impl Actor for Adder {
    type Context = actix::Context<Self>;
}

impl Handler<Add> for Adder {
    type Result = ();

    fn handle(&mut self, add: Add, _: &mut Self::Context) {
        self.0 = self.0.wrapping_add(add.0);
        // The sender waits for it.
        let _ = add.1.send(self.0);
    }
}

/// One actor and its executor.
pub(crate) struct Baseline {
    local: LocalSet,
    adder: Recipient<Add>,
    woken: Arc<Woken>,
    waker: Waker,
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Baseline {
    pub(crate) fn new() -> Self {
        let local = LocalSet::new();
        let adder = {
            let _entered = local.enter();
            Adder(0).start().recipient()
        };
        let woken = Arc::<Woken>::default();
        woken.wake_by_ref();
        let waker = Waker::from(woken.clone());
        Self {
            local,
            adder,
            woken,
            waker,
        }
    }

    /// Sends one message and returns its reply.
    pub(crate) fn ask(&mut self, number: u64) -> Option<u64> {
        let (reply, mut answer) = oneshot::channel();
        self.adder.do_send(Add(black_box(number), reply));
        let mut context = Context::from_waker(&self.waker);
        while self.woken.0.swap(false, Ordering::Relaxed) {
            let _ = Pin::new(&mut self.local).poll(&mut context);
        }
        answer.try_recv().ok()
    }
}
