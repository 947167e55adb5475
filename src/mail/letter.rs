//! What a letter says, written once for both of its forms: plain text, and HTML of text and links alone. Nothing in it is
//! fetched, so nobody learns from it that it was opened.

use maud::{DOCTYPE, Markup, html};

/// A letter. What is put into it is text, whatever signs it has.
#[derive(Clone, Debug)]
pub struct Letter {
    subject: String,
    blocks: Vec<Block>,
}

#[derive(Clone, Debug)]
enum Block {
    Paragraph(String),
    /// What somebody wrote.
    Quote(String),
    Link {
        words: String,
        url: String,
    },
}

impl Letter {
    pub fn new(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), blocks: Vec::new() }
    }

    pub fn paragraph(mut self, text: impl Into<String>) -> Self {
        self.blocks.push(Block::Paragraph(text.into()));
        self
    }

    pub fn quote(mut self, text: impl Into<String>) -> Self {
        self.blocks.push(Block::Quote(text.into()));
        self
    }

    /// The address is the server's own making: mail programs open it without asking.
    pub fn link(mut self, words: impl Into<String>, url: impl Into<String>) -> Self {
        self.blocks.push(Block::Link { words: words.into(), url: url.into() });
        self
    }

    pub(super) fn subject(&self) -> &str {
        &self.subject
    }

    pub(super) fn text(&self, unsubscribe: Option<&str>) -> String {
        let blocks = self.blocks.iter().map(|block| match block {
            Block::Paragraph(text) => text.clone(),
            Block::Quote(text) => text.lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n"),
            Block::Link { words, url } => format!("{words}: {url}"),
        });
        // What mail programs take for a signature, and leave out of answers.
        let end = unsubscribe.map(|url| format!("-- \n{UNSUBSCRIBE}: {url}"));
        blocks.chain(end).collect::<Vec<_>>().join("\n\n") + "\n"
    }

    pub(super) fn html(&self, unsubscribe: Option<&str>) -> String {
        let page = html! {
            (DOCTYPE)
            html {
                head { meta charset="utf-8"; title { (self.subject) } }
                body style="font-family: sans-serif; line-height: 1.5; max-width: 40em" {
                    @for block in &self.blocks { (block.html()) }
                    @if let Some(url) = unsubscribe {
                        p style="color: #666; font-size: small" { a href=(url) style="color: #666" { (UNSUBSCRIBE) } }
                    }
                }
            }
        };
        page.into_string()
    }
}

const UNSUBSCRIBE: &str = "No more mails like this";

impl Block {
    fn html(&self) -> Markup {
        match self {
            Self::Paragraph(text) => html! { p style="white-space: pre-line" { (text) } },
            Self::Quote(text) => html! {
                blockquote style="border-left: 3px solid #ccc; margin: 0.5em 0; padding-left: 1em; white-space: pre-line" {
                    (text)
                }
            },
            Self::Link { words, url } => html! { p { a href=(url) { (words) } } },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_stays_text() {
        let attack = "</title><script>alert(1)</script><img src=https://evil.example/x>\"'&";
        let letter =
            Letter::new(attack).paragraph(attack).quote(attack).link(attack, "https://chat.example.org/?a=1&b=2");
        let html = letter.html(Some("https://chat.example.org/unsubscribe?token=x"));
        assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
        assert_eq!(html.matches("&lt;script&gt;alert(1)").count(), 4, "{html}");
        assert!(html.contains("href=\"https://chat.example.org/?a=1&amp;b=2\""), "{html}");
    }

    #[test]
    fn both_forms_say_the_same() {
        let letter = Letter::new("News").paragraph("Hello").quote("one\ntwo").link("Open", "https://chat.example.org");
        let text = letter.text(Some("https://chat.example.org/u"));
        let end = "-- \nNo more mails like this: https://chat.example.org/u\n";
        assert_eq!(text, format!("Hello\n\n> one\n> two\n\nOpen: https://chat.example.org\n\n{end}"));
        let html = letter.html(None);
        for words in ["Hello", "one\ntwo", ">Open</a>"] {
            assert!(html.contains(words), "{html}");
        }
        assert!(!html.contains("No more"));
    }
}
