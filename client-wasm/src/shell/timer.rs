//! One timer that is set anew, over `setTimeout`. (`gloo-timers` needs std.)

use std::cell::RefCell;

use js_sys::Function;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    // Not of `Window`: the tests run without one, and its handle is no number everywhere.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(handler: &Function, delay_ms: i32) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(handle: &JsValue);
}

/// Dropping it stops it.
pub(super) struct Timer {
    handle: RefCell<Option<JsValue>>,
    on_time: Closure<dyn Fn()>,
}

impl Timer {
    pub(super) fn new(on_time: impl Fn() + 'static) -> Self {
        Self { handle: RefCell::default(), on_time: Closure::new(on_time) }
    }

    /// Replaces the time that was set before; `None` only stops it.
    pub(super) fn set(&self, delay_ms: Option<i32>) {
        let handle = delay_ms.map(|delay_ms| set_timeout(self.on_time.as_ref().unchecked_ref(), delay_ms));
        if let Some(before) = self.handle.replace(handle) {
            clear_timeout(&before);
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.set(None);
    }
}
