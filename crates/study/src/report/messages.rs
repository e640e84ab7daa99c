//! The words of reports, in Chinese and English, from one file.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// One text in both languages.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    zh: String,
    en: String,
}

static MESSAGES: LazyLock<BTreeMap<String, Message>> = LazyLock::new(|| {
    toml::from_str(include_str!("messages.toml")).expect("the messages are tested to be readable")
});

/// The text named `key` in Chinese and English. A name without a text stands for itself: plants
/// and seeds need no translation.
pub(crate) fn pair(key: &str) -> (String, String) {
    MESSAGES.get(key).map_or_else(
        || (key.to_owned(), key.to_owned()),
        |message| (message.zh.clone(), message.en.clone()),
    )
}

/// The text named `key` as HTML in both languages, of which the page shows one.
pub(crate) fn both(key: &str) -> String {
    let (zh, en) = pair(key);
    if zh == en {
        return escape(&zh);
    }
    format!("<span lang=\"zh\">{}</span><span lang=\"en\">{}</span>", escape(&zh), escape(&en))
}

/// Text as HTML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_in_both_languages() {
        assert!(!MESSAGES.is_empty());
        for (key, message) in MESSAGES.iter() {
            assert!(!message.zh.is_empty() && !message.en.is_empty(), "{key}");
            assert!(message.en.is_ascii() && !message.zh.is_ascii(), "{key}");
        }
    }

    #[test]
    fn markup_in_a_name_is_only_text() {
        assert_eq!(both("<b>&\""), "&lt;b&gt;&amp;&quot;");
    }
}
