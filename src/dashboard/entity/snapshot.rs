//! `snapshots`: a track's place in the chart of a day and a time range.

use sea_orm::entity::prelude::*;

/// A row of `snapshots`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "snapshots")]
pub(crate) struct Model {
    /// The track.
    #[sea_orm(primary_key, auto_increment = false)]
    pub track_id: String,
    /// The day.
    #[sea_orm(primary_key, auto_increment = false)]
    pub snapshot_date: Date,
    /// `short_term`, `medium_term` or `long_term`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub time_range: String,
    /// The place, from 1.
    pub rank: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When it was written last.
    pub updated_at: DateTimeUtc,
}

/// A place's rows elsewhere.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {
    /// Its track.
    #[sea_orm(
        belongs_to = "super::track::Entity",
        from = "Column::TrackId",
        to = "super::track::Column::TrackId"
    )]
    Track,
}

impl Related<super::track::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Track.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
