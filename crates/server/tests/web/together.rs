//! The dashboard and the API at the same time.

use super::Door;
use axum::http::StatusCode;
use server::keys::Role;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rules_that_are_saved_here_do_not_undo_what_the_api_changes() {
    let door = Arc::new(Door::new().await);
    let guest = Arc::new(door.sign_in(Role::Admin).await);
    let (over, saved) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let mut people = tokio::task::JoinSet::new();
    for person in 0..3 {
        let (door, guest, over, saved) = (door.clone(), guest.clone(), over.clone(), saved.clone());
        people.spawn(async move {
            for round in 0.. {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let rules = "complete_after_days=14&promise_margin_days=1&count_approval_units=&over_receipt_percent=0";
                let form = format!("csrf={}&once={person}-{round}&{rules}", guest.csrf);
                let done = door.send("POST", "/settings/rules", Some(&guest.cookie), &form).await;
                // People press no button a thousand times a second.
                tokio::time::sleep(Duration::from_millis(2)).await;
                saved.fetch_add(u32::from(done.status() == StatusCode::SEE_OTHER), Ordering::Relaxed);
            }
        });
    }
    for hours in 1..=100 {
        let body = format!(r#"{{"authorization_warning_hours":{hours}}}"#);
        let answer = door.client.send("PUT", "/v1/settings", Some(&door.client.key), &[], &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let settings = door.client.get("/v1/settings").await.body;
        assert_eq!(settings["authorization_warning_hours"], hours, "what the API said was undone: {settings}");
    }
    over.store(true, Ordering::Relaxed);
    people.join_all().await;
    assert!(saved.load(Ordering::Relaxed) > 0, "nothing was saved here");
}
