//! Polls `/healthz` of a server that is unreachable, so that the client connects as soon as it is back instead of after the
//! delay before its next attempt.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use gloo_timers::callback::Timeout;
use wasm_bindgen_futures::spawn_local;

use super::http;

const EVERY_MS: u32 = 1_000;

/// Polls every second until it is dropped.
pub(super) struct Knock(Rc<Asking>);

struct Asking {
    url: String,
    on_back: Box<dyn Fn()>,
    timer: RefCell<Option<Timeout>>,
}

impl Knock {
    /// `on_back` is called when the server answers after a poll that it did not answer. A server that answers every poll, but
    /// refuses the session, causes no earlier attempt.
    pub(super) fn start(healthz: String, on_back: impl Fn() + 'static) -> Self {
        let asking = Rc::new(Asking { url: healthz, on_back: Box::new(on_back), timer: RefCell::default() });
        asking.next(false);
        Self(asking)
    }
}

impl Drop for Knock {
    fn drop(&mut self) {
        self.0.timer.take();
    }
}

impl Asking {
    fn next(self: &Rc<Self>, was_away: bool) {
        let asking = Rc::downgrade(self);
        let timer = Timeout::new(EVERY_MS, move || spawn_local(ask(asking, was_away)));
        self.timer.replace(Some(timer));
    }
}

async fn ask(asking: Weak<Asking>, was_away: bool) {
    let Some(url) = asking.upgrade().map(|asking| asking.url.clone()) else { return };
    let answers = http::is_there(&url).await;
    // Dropped while the request was under way.
    let Some(asking) = asking.upgrade() else { return };
    asking.next(!answers);
    if answers && was_away {
        (asking.on_back)();
    }
}
