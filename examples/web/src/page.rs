//! The elements of the page.

use wasm_bindgen::prelude::*;
use web_sys::{Document, Event, HtmlInputElement, Window};

fn window() -> Window {
    web_sys::window().expect("this is a page")
}

fn document() -> Document {
    window().document().expect("the page has a document")
}

/// What stands in an input.
pub fn value(id: &str) -> String {
    let input = document().get_element_by_id(id).expect("the page has it");
    input.unchecked_into::<HtmlInputElement>().value()
}

/// Shows a text in an element.
pub fn show(id: &str, text: &str) {
    document().get_element_by_id(id).expect("the page has it").set_text_content(Some(text));
}

/// Adds a line to the log.
pub fn log(line: &str) {
    let log = document().get_element_by_id("log").expect("the page has it");
    log.set_text_content(Some(&format!("{}{line}\n", log.text_content().unwrap_or_default())));
}

/// Milliseconds since the page was opened.
pub fn now() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}

/// Calls back whenever a form is submitted. The page keeps the callback as long as it is open.
pub fn on_submit(id: &str, callback: impl Fn() + 'static) {
    let form = document().get_element_by_id(id).expect("the page has it");
    let listener = Closure::<dyn Fn(Event)>::new(move |event: Event| {
        event.prevent_default();
        callback();
    });
    form.add_event_listener_with_callback("submit", listener.into_js_value().unchecked_ref())
        .expect("a form takes listeners");
}
