//! Concurrent statements: no transaction holds them together with their ledger row, so the catalogue is asked how far
//! an earlier try came.
//!
//! A `CREATE INDEX CONCURRENTLY` that is cut short leaves an invalid index behind (the manual, "Building Indexes
//! Concurrently"), which a second try would stumble over, or take for the real one if it says `IF NOT EXISTS`.

use crate::sql_text::{self, Kind};

/// What a concurrent statement does.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It makes an index.
    MakesIndex(String),
    /// It drops an index.
    DropsIndex(String),
    /// Something else.
    Other,
}

/// An index as the catalogue has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IndexState {
    Missing,
    Valid,
    Invalid,
}

/// What to do with a statement.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Run it.
    Run,
    /// Its effect is there already.
    Skip,
    /// Drop the leftover of an earlier try first.
    DropThenRun(String),
    /// An index of that name is there that is none of ours.
    InTheWay(String),
}

/// Reads off the statement what it does.
pub(super) fn effect_of(sql: &str) -> Effect {
    let tokens: Vec<_> =
        sql_text::tokens(sql).into_iter().filter(|token| token.kind != Kind::Comment).collect();
    let is = |at: usize, word: &str| {
        tokens.get(at).is_some_and(|token| token.kind == Kind::Word && token.text.eq_ignore_ascii_case(word))
    };
    let phrase = |at: usize, words: &[&str]| {
        words.iter().enumerate().all(|(offset, word)| is(at + offset, word)).then_some(at + words.len())
    };
    let index_at = |at: usize| tokens.get(at).and_then(sql_text::name_of);
    let made = phrase(0, &["create", "index", "concurrently"])
        .or_else(|| phrase(0, &["create", "unique", "index", "concurrently"]))
        .map(|at| phrase(at, &["if", "not", "exists"]).unwrap_or(at))
        .and_then(index_at);
    let dropped = phrase(0, &["drop", "index", "concurrently"])
        .map(|at| phrase(at, &["if", "exists"]).unwrap_or(at))
        .and_then(index_at);
    match (made, dropped) {
        (Some(index), _) => Effect::MakesIndex(index),
        (None, Some(index)) => Effect::DropsIndex(index),
        (None, None) => Effect::Other,
    }
}

/// Decides. What is there before the first try is not ours; what is there at a later one is the earlier one's.
pub(super) fn action(effect: Effect, state: IndexState, first_try: bool) -> Action {
    match (effect, state) {
        (Effect::MakesIndex(_) | Effect::Other, IndexState::Missing) => Action::Run,
        (Effect::MakesIndex(index), _) if first_try => Action::InTheWay(index),
        (Effect::MakesIndex(_), IndexState::Valid) => Action::Skip,
        (Effect::MakesIndex(index), IndexState::Invalid) => Action::DropThenRun(index),
        (Effect::DropsIndex(_), IndexState::Missing) if !first_try => Action::Skip,
        _ => Action::Run,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects() {
        let makes = |name: &str| Effect::MakesIndex(name.to_owned());
        let drops = |name: &str| Effect::DropsIndex(name.to_owned());
        let cases = [
            ("CREATE INDEX CONCURRENTLY i ON t (a)", makes("i")),
            ("create unique index concurrently if not exists \"My I\" on t (a)", makes("My I")),
            ("CREATE /* so */ INDEX CONCURRENTLY Named ON t (a)", makes("named")),
            ("DROP INDEX CONCURRENTLY IF EXISTS \"i\"", drops("i")),
            ("REINDEX INDEX CONCURRENTLY i", Effect::Other),
            ("CREATE INDEX i ON t (a)", Effect::Other),
        ];
        for (sql, expected) in cases {
            assert_eq!(effect_of(sql), expected, "{sql}");
        }
    }

    #[test]
    fn actions() {
        use IndexState::{Invalid, Missing, Valid};
        let index = || "i".to_owned();
        let makes = || Effect::MakesIndex(index());
        let cases = [
            (makes(), Missing, true, Action::Run),
            (makes(), Missing, false, Action::Run),
            (makes(), Valid, true, Action::InTheWay(index())),
            (makes(), Invalid, true, Action::InTheWay(index())),
            (makes(), Valid, false, Action::Skip),
            (makes(), Invalid, false, Action::DropThenRun(index())),
            (Effect::DropsIndex(index()), Missing, true, Action::Run),
            (Effect::DropsIndex(index()), Missing, false, Action::Skip),
            (Effect::DropsIndex(index()), Valid, false, Action::Run),
            (Effect::Other, Missing, false, Action::Run),
        ];
        for (effect, state, first_try, expected) in cases {
            let case = format!("{effect:?} {state:?} {first_try}");
            assert_eq!(action(effect, state, first_try), expected, "{case}");
        }
    }
}
