//! Command lines, configurations and addresses in a tracker may contain secrets; records must not.

use crate::document::{Map, Node, Value, to_line};
use crate::secret::{is_secret_name, mask as hide, masked, says_nothing};
use smol_str::SmolStr;

/// Masks every text in a record that is or contains a secret.
pub(super) fn mask(record: &mut Map) {
    // Metrics are never secret, whatever their names.
    mask_map(record, false, &["metrics", "slices"]);
}

/// Masks the secrets in parameters or tags; returns whether it masked anything.
pub fn mask_values(values: &mut Map) -> bool {
    let text = |values: &Map| to_line(&Node::made(Value::Map(values.clone())));
    let before = text(values);
    mask_map(values, false, &[]);
    text(values) != before
}

fn mask_map(map: &mut Map, secret: bool, except: &[&str]) {
    let keys: Vec<SmolStr> = map.keys().filter(|key| !except.contains(key)).map(Into::into).collect();
    for key in keys {
        if let Some(node) = map.get_mut(&key) {
            mask_node(node, secret || is_secret_name(&key));
        }
    }
}

fn mask_node(node: &mut Node, secret: bool) {
    match &mut node.value {
        Value::Map(map) => mask_map(map, secret, &[]),
        Value::List(items) => {
            // In a list of arguments, an option is followed by its value.
            let mut hide_next = false;
            for item in items {
                let option =
                    item.as_written().is_some_and(|word| word.starts_with('-') && is_secret_name(word));
                let is_option = item.as_written().is_some_and(|word| word.starts_with('-'));
                mask_node(item, secret || (hide_next && !is_option));
                hide_next = option && !item.as_written().is_some_and(|word| word.contains('='));
            }
        }
        Value::String(text) if secret && !says_nothing(text) => *text = hide(text).into(),
        Value::Number(number) if secret => node.value = Value::String(hide(number).into()),
        Value::String(text) => {
            if let std::borrow::Cow::Owned(masked) = masked(text) {
                *text = masked.into();
            }
        }
        _ => {}
    }
}
