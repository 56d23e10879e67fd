//! Polls `/healthz` of a server that is unreachable, so that the client connects as soon as it is back instead of after the
//! delay before its next attempt.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use gloo_timers::callback::Timeout;
use wasm_bindgen_futures::spawn_local;

use super::http;

/// The pause before a poll, which does not wait for the answers to those before: on a network that swallows packets a poll has
/// no answer for seconds, and a lost SYN is sent again only after one, three and seven seconds. The pauses grow by the second
/// number each time, up to the third, and are spread by a quarter.
const EVERY_MS: u32 = 400;
const LONGER_MS: u32 = 2;
const AT_MOST_MS: u32 = 2_000;

/// Polls until it is dropped, often at first.
pub(super) struct Knock(Rc<Asking>);

struct Asking {
    url: String,
    on_back: Box<dyn Fn()>,
    timer: RefCell<Option<Timeout>>,
    asked: Cell<u32>,
    /// The last poll that was answered.
    answered: Cell<u32>,
    /// A later poll than the last answered one has failed.
    is_away: Cell<bool>,
}

impl Knock {
    /// `on_back` is called when the server answers after a poll that it did not answer. A server that answers every poll, but
    /// refuses the session, causes no earlier attempt.
    pub(super) fn start(healthz: String, on_back: impl Fn() + 'static) -> Self {
        let asking = Rc::new(Asking {
            url: healthz,
            on_back: Box::new(on_back),
            timer: RefCell::default(),
            asked: Cell::new(0),
            answered: Cell::new(0),
            is_away: Cell::new(false),
        });
        asking.next();
        Self(asking)
    }
}

impl Drop for Knock {
    fn drop(&mut self) {
        self.0.timer.take();
    }
}

impl Asking {
    fn next(self: &Rc<Self>) {
        let pause_ms = EVERY_MS.saturating_add(self.asked.get().saturating_mul(LONGER_MS)).min(AT_MOST_MS);
        let spread = 1.0 + js_sys::Math::random() / 4.0;
        let weak = Rc::downgrade(self);
        let timer = Timeout::new((f64::from(pause_ms) * spread) as u32, move || {
            if let Some(asking) = weak.upgrade() {
                asking.asked.set(asking.asked.get() + 1);
                spawn_local(ask(weak, asking.asked.get()));
                asking.next();
            }
        });
        self.timer.replace(Some(timer));
    }

    fn handle(&self, poll: u32, is_answered: bool) {
        if is_answered {
            self.answered.set(self.answered.get().max(poll));
            if self.is_away.replace(false) {
                (self.on_back)();
            }
        } else if poll > self.answered.get() {
            self.is_away.set(true);
        }
    }
}

async fn ask(asking: Weak<Asking>, poll: u32) {
    let Some(url) = asking.upgrade().map(|asking| asking.url.clone()) else { return };
    let is_answered = http::is_there(&url).await;
    // Dropped while the request was under way.
    if let Some(asking) = asking.upgrade() {
        asking.handle(poll, is_answered);
    }
}
