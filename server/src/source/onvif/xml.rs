//! Reads the XML of a camera's answer. Cameras differ in the prefixes of names, and do not always declare them: they are left out.

use quick_xml::Reader;
use quick_xml::escape::{escape, unescape};
use quick_xml::events::{BytesStart, Event};

/// More than any answer that is read here has.
const MOST_ELEMENTS: usize = 20_000;

/// The elements of an answer, in the order in which they begin.
#[derive(Debug)]
pub(super) struct Answer(Vec<Element>);

#[derive(Debug)]
struct Element {
    name: String,
    /// The only attribute that is of interest.
    token: Option<String>,
    text: String,
    /// How many elements it is, with those within it.
    len: usize,
}

/// An element with those within it, which follow it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a>(&'a [Element]);

impl Answer {
    /// `None` where it is no XML.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut reader = Reader::from_str(text);
        // As in the query of a URL that a camera does not escape.
        reader.config_mut().allow_dangling_amp = true;
        let (mut elements, mut open) = (Vec::<Element>::new(), Vec::<usize>::new());
        loop {
            let mut say = |text: &str| {
                if let Some(element) = open.last().and_then(|&at| elements.get_mut(at)) {
                    element.text.push_str(text);
                }
            };
            match reader.read_event().ok()? {
                Event::Text(text) => say(&String::from_utf8_lossy(&text)),
                Event::GeneralRef(name) => say(&format!("&{};", String::from_utf8_lossy(&name))),
                Event::CData(text) => say(&escape(&*String::from_utf8_lossy(&text))),
                Event::Start(tag) => {
                    open.push(elements.len());
                    elements.push(Element::new(&tag));
                }
                Event::Empty(tag) => elements.push(Element::new(&tag)),
                Event::End(_) => {
                    let at = open.pop()?;
                    let len = elements.len() - at;
                    let element = elements.get_mut(at)?;
                    element.len = len;
                    element.text = unescaped(&element.text);
                }
                Event::Eof => return (open.is_empty() && !elements.is_empty()).then_some(Self(elements)),
                _ => {}
            }
            if elements.len() > MOST_ELEMENTS {
                return None;
            }
        }
    }

    pub(super) fn root(&self) -> Part<'_> {
        Part(&self.0)
    }
}

impl Element {
    fn new(tag: &BytesStart<'_>) -> Self {
        let token = tag.attributes().flatten().find(|attribute| attribute.key.as_ref() == b"token");
        let token = token.map(|attribute| unescaped(&String::from_utf8_lossy(&attribute.value)));
        let name = String::from_utf8_lossy(tag.local_name().as_ref()).into_owned();
        Self { name, token, text: String::new(), len: 1 }
    }
}

impl<'a> Part<'a> {
    /// Every element of this name within it.
    pub(super) fn all(self, name: &str) -> impl Iterator<Item = Part<'a>> {
        let within = self.0.iter().enumerate().skip(1).filter(move |(_, element)| element.name == name);
        within.filter_map(move |(at, element)| self.0.get(at..at + element.len).map(Part))
    }

    pub(super) fn first(self, name: &str) -> Option<Part<'a>> {
        self.all(name).next()
    }

    /// The text of the first element of this name within it, if it has some.
    pub(super) fn text_of(self, name: &str) -> Option<&'a str> {
        self.first(name).map(Part::text).filter(|text| !text.is_empty())
    }

    pub(super) fn text(self) -> &'a str {
        self.0.first().map_or("", |element| &element.text)
    }

    pub(super) fn token(self) -> Option<&'a str> {
        self.0.first().and_then(|element| element.token.as_deref())
    }
}

/// What cannot be read stays as it is.
fn unescaped(text: &str) -> String {
    let text = text.trim();
    unescape(text).map_or_else(|_| text.to_owned(), |text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_found_without_their_prefixes_and_texts_without_escapes() {
        let text = "<?xml version=\"1.0\"?><a:b xmlns:a='x'><Uri>no</Uri><undeclared:Uri token='&lt;1&gt;'>\n \
                    rtsp://h/1?a=1&amp;b=&#50;<![CDATA[&c]]> </undeclared:Uri><e/></a:b>";
        let answer = Answer::read(text).expect("XML");
        let found: Vec<_> = answer.root().all("Uri").map(|part| (part.text(), part.token())).collect();
        assert_eq!(found, [("no", None), ("rtsp://h/1?a=1&b=2&c", Some("<1>"))]);
        assert_eq!(answer.root().text_of("e"), None);
        let careless = Answer::read("<a><Uri>rtsp://h/1?a=1&b=2</Uri></a>").expect("nearly XML");
        assert_eq!(careless.root().text_of("Uri"), Some("rtsp://h/1?a=1&b=2"));
        assert!(answer.root().first("Uri").is_some_and(|uri| uri.first("e").is_none()), "it is not within");
    }

    #[test]
    fn what_is_no_xml_is_none() {
        for text in ["", "hello", "<a>", "<a></b>", "</a>", "<html><body><p>404</body></html>"] {
            assert!(Answer::read(text).is_none(), "{text}");
        }
        assert!(Answer::read(&"<a>".repeat(500_000)).is_none(), "too many");
        let deep = format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(10_000));
        assert_eq!(Answer::read(&deep).map(|answer| answer.root().all("a").count()), Some(9_999));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[<>/a:&;#!\\[\\]\"'= x?-]{0,80}") {
            if let Some(answer) = Answer::read(&text) {
                let _ = answer.root().all("a").count();
            }
        }
    }
}
