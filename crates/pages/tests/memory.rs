//! What pages cost while no request asks for them: memory at rest.

use countersign_pages::{Pages, Text, gallery};
use words::{Brand, Words};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Bytes that pages may hold at rest: templates, sheet, icon and a logo of the usual size.
const MOST: usize = 2 * 1024 * 1024;

#[test]
fn pages_hold_little_memory_at_rest() {
    let _counted = dhat::Profiler::builder().testing().build();
    let brand = Brand { name: "Acme".to_owned(), color: "#1a56db".to_owned(), logo: String::new() };
    let words = Words::new(brand, "en");
    let before = dhat::HeapStats::get().curr_bytes;
    let pages = Pages::new(words.brand(), Some(vec![0; 32 * 1024].into()), "");
    // What is filled once is kept, if anything is.
    for name in gallery::SAMPLES {
        let page = gallery::sample(name, Text::new(&words, &[])).expect("a sample");
        drop(pages.response(axum::http::StatusCode::OK, &page));
    }
    let held = dhat::HeapStats::get().curr_bytes - before;
    assert!((32 * 1024..MOST).contains(&held), "{held}");
    drop(pages);
}
