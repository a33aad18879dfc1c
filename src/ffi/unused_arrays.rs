//! Arrays of `$mb_bb_mem` whose name no memory has.

use crate::foreign::report;
use crate::messages::foreign::Severity;
use crate::sim::vpi_testbench;
use crate::system::Vhost;

/// Warns of registered arrays that no memory has, of those whose name is chosen.
pub(super) fn warn(vhost: &Vhost, chosen: impl Fn(&str) -> bool) {
    let memories = vhost.black_boxes();
    let named = vpi_testbench::named_arrays();
    let unused = named
        .into_iter()
        .filter(|(name, _)| chosen(name) && !memories.contains(&name.as_str()));
    for (name, place) in unused {
        let text = unused_array(&name, &memories, place.as_deref());
        report(Severity::Warning, "$mb_bb_mem", &text);
    }
}

/// Text about an array that no memory has.
fn unused_array(name: &str, memories: &[&str], place: Option<&str>) -> String {
    let known = match memories {
        [] => "the configuration has no memory without a `path`".to_owned(),
        _ => format!("memories without a `path` are {}", memories.join(", ")),
    };
    let place = place.map_or(String::new(), |place| format!(" ({place})"));
    format!("no black-box memory is called `{name}`, and its array is not used: {known}{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_of_an_unused_array_lists_the_existing_memories() {
        assert_eq!(
            unused_array("scrach", &["scratch", "rom"], Some("tb.v:7")),
            "no black-box memory is called `scrach`, and its array is not used: memories without \
             a `path` are scratch, rom (tb.v:7)"
        );
        assert_eq!(
            unused_array("ram", &[], None),
            "no black-box memory is called `ram`, and its array is not used: the configuration \
             has no memory without a `path`"
        );
    }
}
