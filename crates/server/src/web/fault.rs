//! Why a page cannot be shown, or an action was not done.

use crate::keys::Role;
use axum::http::StatusCode;
use domain::Rejection;
use domain::rejection::Class;
use engine::ReadError;

#[derive(Debug)]
pub struct Fault {
    pub status: StatusCode,
    pub title: String,
    /// What happened, and what to do.
    pub detail: String,
}

impl Fault {
    fn new(status: StatusCode, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { status, title: title.into(), detail: detail.into() }
    }

    /// The person typed something that cannot be.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "That can't be", detail)
    }

    pub fn not_found(kind: &str, id: &str) -> Self {
        let detail = format!("There is no {kind} “{id}”. It may have been mistyped, or never existed here.");
        Self::new(StatusCode::NOT_FOUND, format!("No such {kind}"), detail)
    }

    pub fn forbidden(role: Role, needed: &str) -> Self {
        let role = role.a_key();
        let detail = format!("You are signed in with {role}. This needs {needed}. Ask an admin for another key, or sign in with one.");
        Self::new(StatusCode::FORBIDDEN, "Not for this key", detail)
    }

    pub fn foreign_form() -> Self {
        let detail = "The form did not come from this dashboard, or was open for longer than your session. Nothing happened; go back, reload and try again.";
        Self::new(StatusCode::FORBIDDEN, "Form not accepted", detail)
    }

    pub fn busy() -> Self {
        let detail = "More is waiting than can be done at once. Nothing happened; try again in a second.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Busy", detail)
    }

    pub fn outcome_unknown() -> Self {
        let detail = "The server stopped before it knew whether this took effect. Look before you try again.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Outcome unknown", detail)
    }

    pub fn no_space() -> Self {
        let detail = "The disk of the server is full. Nothing happened; free some space and try again.";
        Self::new(StatusCode::INSUFFICIENT_STORAGE, "Disk full", detail)
    }

    pub fn internal(why: impl std::fmt::Display) -> Self {
        tracing::error!("a page failed: {why}");
        let detail = "Something is wrong with the server; its log says what. Nothing that was acknowledged is lost.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Something broke", detail)
    }
}

impl From<Rejection> for Fault {
    fn from(rejection: Rejection) -> Self {
        let status = match rejection.class() {
            Class::NotFound => StatusCode::NOT_FOUND,
            Class::Conflict => StatusCode::CONFLICT,
            Class::Invalid => StatusCode::BAD_REQUEST,
            Class::Precondition => StatusCode::PRECONDITION_FAILED,
        };
        Self::new(status, rejection.title(), in_words(&rejection))
    }
}

/// Where the API speaks of its fields and minor units, a page speaks of what stands on it.
fn in_words(rejection: &Rejection) -> String {
    match rejection {
        // In which currency, a rejection does not say.
        Rejection::RefundTooLarge { .. } => "That is more than can still be given back.".to_owned(),
        Rejection::InsufficientStock { lines, .. } => {
            let lines = lines.iter().take(5).map(|line| format!("{} of {} {} are available.", line.available, line.wanted, line.sku));
            format!("{} Lower the quantity.", lines.collect::<Vec<_>>().join(" "))
        }
        Rejection::Invalid { field, problem } => {
            let (label, problem) =
                (super::show::words(field.rsplit('.').next().unwrap_or(field)), problem.replace('_', " ").replace('"', ""));
            format!("{label} {problem}.")
        }
        Rejection::ConfirmationNeeded { problem, .. } => format!("{problem}. Tick the box to do it all the same."),
        other => other.detail(),
    }
}

impl From<ReadError> for Fault {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Behind => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Catching up",
                "Lists are more than a second behind. The page comes back by itself.",
            ),
            ReadError::Store(_) | ReadError::Log(_) => Self::internal(error),
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::internal(error)
    }
}

impl From<askama::Error> for Fault {
    fn from(error: askama::Error) -> Self {
        Self::internal(error)
    }
}
