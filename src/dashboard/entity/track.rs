//! `tracks`: a track, and what Spotify said of it.

use sea_orm::entity::prelude::*;

/// A row of `tracks`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tracks")]
pub(crate) struct Model {
    /// Spotify's identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub track_id: String,
    /// The title.
    pub name: String,
    /// The artists' names.
    pub artist_name: String,
    /// The album's name.
    pub album_name: Option<String>,
    /// The length in milliseconds.
    pub duration_ms: Option<i32>,
    /// Where it can be heard.
    pub spotify_url: Option<String>,
    /// The track object as Spotify sent it: `jsonb` there, its text here, so that no number passes through a float.
    #[sea_orm(column_type = "JsonBinary", nullable, select_as = "text", save_as = "jsonb")]
    pub raw_json: Option<String>,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it was written last.
    pub updated_at: DateTimeUtc,
}

/// A track's rows elsewhere.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {
    /// Its places in charts.
    #[sea_orm(has_many = "super::snapshot::Entity")]
    Snapshots,
}

impl Related<super::snapshot::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Snapshots.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
