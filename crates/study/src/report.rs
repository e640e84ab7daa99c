//! Self-contained HTML reports in two languages, with plots as inline SVG.
//!
//! A report loads nothing: no script, font or style from elsewhere. Both languages are in the
//! page; a pair of radio buttons and a style rule show one of them.

mod messages;
mod plot;

use std::fmt::Write as _;

pub(crate) use messages::{both, escape};
pub use plot::{Bars, Line, LinePlot, Shape};

/// A report under construction.
#[derive(Clone, Debug)]
pub struct Page {
    title: String,
    body: String,
}

impl Page {
    /// A page with the title named `key`.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self { title: key.to_owned(), body: String::new() }
    }

    /// Adds a heading.
    pub fn heading(&mut self, key: &str) {
        let _infallible = writeln!(self.body, "<h2>{}</h2>", both(key));
    }

    /// Adds a paragraph.
    pub fn paragraph(&mut self, key: &str) {
        let _infallible = writeln!(self.body, "<p>{}</p>", both(key));
    }

    /// Adds a line of numbers after a label.
    pub fn figure_line(&mut self, key: &str, value: &str) {
        let value = escape(value);
        let _infallible = writeln!(self.body, "<p>{} <b>{value}</b></p>", both(key));
    }

    /// Adds a table; heads and the first column are keys, the other cells text.
    pub fn table(&mut self, heads: &[&str], rows: &[Vec<String>]) {
        self.body.push_str("<div class=\"wide\"><table><thead><tr>");
        for head in heads {
            let _infallible = write!(self.body, "<th scope=\"col\">{}</th>", both(head));
        }
        self.body.push_str("</tr></thead><tbody>\n");
        for row in rows {
            self.body.push_str("<tr>");
            for (column, cell) in row.iter().enumerate() {
                let _infallible = if column == 0 {
                    write!(self.body, "<th scope=\"row\">{}</th>", both(cell))
                } else {
                    write!(self.body, "<td>{}</td>", escape(cell))
                };
            }
            self.body.push_str("</tr>\n");
        }
        self.body.push_str("</tbody></table></div>\n");
    }

    /// Adds a plot under a caption.
    pub fn plot(&mut self, caption: &str, svg: &str) {
        let _infallible =
            writeln!(self.body, "<figure>{svg}<figcaption>{}</figcaption></figure>", both(caption));
    }

    /// The whole page.
    #[must_use]
    pub fn html(&self) -> String {
        let title = both(&self.title);
        let (zh, en) = messages::pair(&self.title);
        format!(
            "<!doctype html>\n<html lang=\"zh\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <title>{} / {}</title><style>{STYLE}</style></head><body>\n\
             <input type=\"radio\" name=\"language\" id=\"show-zh\" checked>\
             <label for=\"show-zh\">{}</label>\
             <input type=\"radio\" name=\"language\" id=\"show-en\">\
             <label for=\"show-en\">English</label>\n\
             <main><h1>{title}</h1>\n{}</main></body></html>\n",
            escape(&zh),
            escape(&en),
            messages::pair("language").0,
            self.body
        )
    }
}

/// A table as CSV: a header of plain names, then rows. Cells must not need quoting.
pub(crate) fn csv(heads: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = heads.join(",");
    text.push('\n');
    for row in rows {
        text.push_str(&row.join(","));
        text.push('\n');
    }
    text
}

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c2430;--paper:#fff;--line:#c9d0d9;--soft:#f2f4f7}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--paper:#14181f;--line:#3b4452;--soft:#1d232d}}\
body{margin:0 auto;max-width:70rem;padding:1rem 1.25rem 4rem;font:16px/1.6 system-ui,sans-serif;\
color:var(--ink);background:var(--paper)}\
h1{line-height:1.25}h2{margin-top:2.5rem}\
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9rem}\
th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}\
thead th{white-space:normal;vertical-align:bottom;background:var(--soft)}\
tbody th{text-align:left;font-weight:600}.wide{overflow-x:auto}\
figure{margin:1.5rem 0}figcaption{font-size:.9rem;opacity:.85}\
svg{width:100%;height:auto;font:12px system-ui,sans-serif}\
svg text{fill:var(--ink)}svg .grid{stroke:var(--line);stroke-width:1}\
#show-zh:checked~main [lang=en],#show-en:checked~main [lang=zh]{display:none}\
input:focus-visible+label{outline:2px solid #0072b2}label{margin-right:1rem;cursor:pointer}";
