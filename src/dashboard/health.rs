//! `/healthz`: the process is there. `/readyz`: so is the database, with every version of the schema.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{fault::Fault, router::Site};
use crate::target::{self, State as VersionState};

/// Whether the site can answer, and why not.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Readiness {
    /// Whether it can.
    ready: bool,
    /// Whether the database answers.
    database: bool,
    /// Versions of the schema that the database should have, and has not, or not wholly.
    pending_versions: Vec<String>,
}

/// `GET /healthz`
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`
pub(super) async fn readyz(State(site): State<Arc<Site>>) -> Response {
    if let Err(fault) = site.database.state().await {
        tracing::warn!(reason = fault.message(), "not ready");
        let answers = matches!(fault, Fault::Busy | Fault::TooSlow);
        return answer(Readiness { ready: false, database: answers, pending_versions: Vec::new() });
    }
    // Only where there is something to compare: a role that only reads the tables need not see the versions.
    if site.versions.is_empty() {
        return answer(Readiness { ready: true, database: true, pending_versions: Vec::new() });
    }
    let pending = target::status(site.database.target(), &site.versions).await.map(|statuses| {
        let pending = statuses.into_iter().filter(|status| status.state != VersionState::Applied);
        pending.map(|status| status.name).collect::<Vec<_>>()
    });
    answer(match pending {
        Ok(pending_versions) => {
            if !pending_versions.is_empty() {
                tracing::warn!(?pending_versions, "not ready: `mtm migrate up` applies them");
            }
            Readiness { ready: pending_versions.is_empty(), database: true, pending_versions }
        }
        Err(error) => {
            tracing::warn!(%error, "not ready: the versions could not be read");
            Readiness { ready: false, database: true, pending_versions: Vec::new() }
        }
    })
}

fn answer(readiness: Readiness) -> Response {
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}
