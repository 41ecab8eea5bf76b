//! The evidence for a comparison.

use maud::{Markup, html};

use super::chart::gained_and_lost;
use crate::render::evidence::evidence;
use crate::verdict::Comparison;

/// The interval in words, and a bar for the cases that only one of the runs gets right.
pub(super) fn shown(one: &Comparison) -> Markup {
    html! {
        @if let Some(words) = evidence(one) {
            div class="evidence" {
                (words)
                @if let (Some(gained), Some(lost)) = (one.gained, one.lost) {
                    @if gained + lost > 0 { (gained_and_lost(gained, lost)) }
                }
            }
        }
    }
}
