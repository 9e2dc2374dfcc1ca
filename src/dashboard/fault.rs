//! What can go wrong with a request, and how it is answered: as a page, or as JSON.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};
use serde::Serialize;
use utoipa::ToSchema;

use crate::target;

/// Seconds after which whoever was turned away may come again.
const RETRY_AFTER_SECONDS: u64 = 2;

/// Why a request is not answered as it was meant. The text is for whoever asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// There is no such page, track, question.
    NotFound(String),
    /// What was asked for cannot be read.
    BadRequest(String),
    /// No token, or a wrong one.
    Unauthorized(&'static str),
    /// The site may not do that.
    Forbidden(String),
    /// What was sent is too large.
    TooLarge(String),
    /// What was sent is of another kind.
    UnsupportedMediaType(String),
    /// Too many requests of one client.
    TooMany { retry_after_seconds: u64 },
    /// Another method is meant for that path.
    MethodNotAllowed,
    /// Every session with the database is in use.
    Busy,
    /// The database does not answer.
    Down,
    /// The database was given its time, and had no answer.
    TooSlow,
    /// Something that is not the asker's fault; the log says more.
    Internal,
}

/// A fault as JSON.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// The status code.
    status: u16,
    /// What is wrong.
    message: String,
}

impl Fault {
    /// What a failed statement means. `exhausted`: every session is in use. The server's words go to the log, not to the asker.
    pub(super) fn of_database(error: DbErr, exhausted: bool) -> Fault {
        let (DbErr::Exec(RuntimeErr::SqlxError(source))
        | DbErr::Query(RuntimeErr::SqlxError(source))
        | DbErr::Conn(RuntimeErr::SqlxError(source))) = &error
        else {
            if let DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) = error {
                return if exhausted { Fault::Busy } else { Fault::Down };
            }
            if let DbErr::ConnectionAcquire(_) = error {
                return Fault::Down;
            }
            tracing::error!(%error, "the database's answer could not be read");
            return Fault::Internal;
        };
        if matches!(source.as_ref(), sqlx::Error::PoolTimedOut) {
            return if exhausted { Fault::Busy } else { Fault::Down };
        }
        if matches!(source.as_ref(), sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolClosed) {
            return Fault::Down;
        }
        let server = target::server_error(source);
        // Codes from the manual, appendix "PostgreSQL Error Codes".
        match server.code.as_str() {
            "57014" | "55P03" => Fault::TooSlow,
            "25006" | "42501" => {
                Fault::Forbidden("the site's role in the database may not do that".to_owned())
            }
            // What the database cannot hold, as a half of a surrogate pair.
            code if code.starts_with("22") || code.starts_with("54") => {
                Fault::BadRequest(format!("the database cannot take that: {}", server.message))
            }
            // A deadlock, or a conflict of transactions.
            code if code.starts_with("40") => Fault::Busy,
            code if ["08", "28", "3D", "53", "57"].iter().any(|class| code.starts_with(class)) => Fault::Down,
            code => {
                tracing::error!(code, message = server.message, "the database refused a statement");
                Fault::Internal
            }
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Fault::NotFound(_) => StatusCode::NOT_FOUND,
            Fault::BadRequest(_) => StatusCode::BAD_REQUEST,
            Fault::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Fault::Forbidden(_) => StatusCode::FORBIDDEN,
            Fault::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Fault::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Fault::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Fault::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Fault::Busy | Fault::Down | Fault::TooSlow => StatusCode::SERVICE_UNAVAILABLE,
            Fault::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// A page's heading.
    pub(super) fn title(&self) -> &'static str {
        match self {
            Fault::NotFound(_) => "Not found",
            Fault::BadRequest(_) => "That cannot be read",
            Fault::Unauthorized(_) => "A token is needed",
            Fault::Forbidden(_) => "Not allowed",
            Fault::TooLarge(_) => "Too large",
            Fault::UnsupportedMediaType(_) => "Of another kind",
            Fault::TooMany { .. } => "Too many requests",
            Fault::MethodNotAllowed => "Not that way",
            Fault::Busy => "Busy",
            Fault::Down => "The database does not answer",
            Fault::TooSlow => "That took too long",
            Fault::Internal => "Something went wrong",
        }
    }

    /// What is wrong, and what to do.
    pub(super) fn message(&self) -> String {
        match self {
            Fault::NotFound(text)
            | Fault::BadRequest(text)
            | Fault::Forbidden(text)
            | Fault::TooLarge(text)
            | Fault::UnsupportedMediaType(text) => text.clone(),
            Fault::Unauthorized(text) => (*text).to_owned(),
            Fault::TooMany { retry_after_seconds } => {
                format!("this client asks too often; try again in {retry_after_seconds} s")
            }
            Fault::MethodNotAllowed => "this address takes another method".to_owned(),
            Fault::Busy => "every session with the database is in use; try again in a moment".to_owned(),
            Fault::Down => {
                "the site is up, its database is not; it is tried again with every request".to_owned()
            }
            Fault::TooSlow => {
                "the database had no answer within its time; try again, or ask for less".to_owned()
            }
            Fault::Internal => "the log of the site says more".to_owned(),
        }
    }

    fn retry_after_seconds(&self) -> Option<u64> {
        match self {
            Fault::TooMany { retry_after_seconds } => Some(*retry_after_seconds),
            Fault::Busy | Fault::Down | Fault::TooSlow => Some(RETRY_AFTER_SECONDS),
            _ => None,
        }
    }

    /// The answer with this body.
    pub(super) fn with_body(&self, body: impl IntoResponse) -> Response {
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_seconds() {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if matches!(self, Fault::Unauthorized(_)) {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }

    /// The answer as JSON.
    pub(super) fn json(&self) -> Response {
        let problem = Problem { status: self.status().as_u16(), message: self.message() };
        self.with_body(Json(problem))
    }
}

/// For what axum itself refuses; pages and their mirrors answer as they do.
impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        self.json()
    }
}
