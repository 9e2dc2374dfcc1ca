//! Charts as SVG, made here: bars and lines, with a title for every value, and a table of the same values for those who do
//! not see the drawing.

mod bars;
mod lines;
mod scale;

pub(super) use self::{
    bars::Bars,
    lines::{Line, Lines},
};
