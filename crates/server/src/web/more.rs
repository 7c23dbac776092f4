//! What does not fit into the bar of a phone.

use super::Answer;
use super::visit::{Frame, Visit};
use askama::Template;

#[derive(Template)]
#[template(path = "more.html")]
struct More {
    frame: Frame,
}

pub async fn page(visit: Visit) -> Answer {
    let frame = visit.frame("More", "more", "alert");
    visit.show(&More { frame })
}
