//! Where the ledger's tables are.

use crate::{Target, quote_identifier};

/// The ledger's own schema.
const OWN_SCHEMA: &str = "mtm";

/// Where the ledger's tables are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the schema `mtm`, for all target schemas of the database.
    OwnSchema,
    /// In the target schema, with names that begin with `mtm_`: where the role may not create a schema.
    TargetSchema {
        /// The target schema.
        schema: String,
    },
}

impl Place {
    /// The qualified and quoted name of one of the ledger's tables.
    pub fn table(&self, name: &str) -> String {
        let bare = format!("{}{name}", self.prefix());
        format!("{}.{}", quote_identifier(self.schema()), quote_identifier(&bare))
    }

    /// The schema that holds the ledger's tables.
    pub fn schema(&self) -> &str {
        match self {
            Place::OwnSchema => OWN_SCHEMA,
            Place::TargetSchema { schema } => schema,
        }
    }

    /// What the tables' names begin with.
    pub fn prefix(&self) -> &'static str {
        match self {
            Place::OwnSchema => "",
            Place::TargetSchema { .. } => "mtm_",
        }
    }
}

/// What the catalogue says of the places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    target_readable: bool,
    target_creatable: bool,
    own_readable: bool,
    own_writable: bool,
    own_creatable: bool,
}

impl Places {
    pub(super) async fn ask(target: &Target) -> Result<Places, sqlx::Error> {
        let (target_readable, target_creatable, own_readable, own_writable, own_creatable) =
            sqlx::query_as(include_str!("sql/places.sql"))
                .bind(&target.schema)
                .fetch_one(&target.pool)
                .await?;
        Ok(Places { target_readable, target_creatable, own_readable, own_writable, own_creatable })
    }

    /// Where a ledger is. One in the target schema comes first: it was put there by a role that could do no better.
    pub(super) fn existing(self, target: &Target) -> Option<Place> {
        if self.target_readable {
            return Some(Place::TargetSchema { schema: target.schema.clone() });
        }
        self.own_readable.then_some(Place::OwnSchema)
    }

    /// Where a ledger is that can be written, or where one may be made.
    pub(super) fn possible(self, target: &Target) -> Option<Place> {
        let in_target = || Place::TargetSchema { schema: target.schema.clone() };
        if self.target_readable {
            return Some(in_target());
        }
        if self.own_writable || (self.own_creatable && !self.own_readable) {
            return Some(Place::OwnSchema);
        }
        self.target_creatable.then(in_target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted() {
        assert_eq!(Place::OwnSchema.table("run"), "\"mtm\".\"run\"");
        let place = Place::TargetSchema { schema: "my \"own\"".to_owned() };
        assert_eq!(place.table("run"), "\"my \"\"own\"\"\".\"mtm_run\"");
    }
}
