//! A small, strict reader of the XML in property lists and in the tables of xar archives.
//!
//! It reads elements, attributes, and text. What lets two readers see two documents is refused: entities of one's own,
//! CDATA, instructions, anything behind the root, and names that do not match. It resolves nothing and opens nothing.

use std::borrow::Cow;

use thiserror::Error;

/// What is read at most.
struct Limits;

impl Limits {
    /// How deep elements may lie in one another. Folders of an archive lie in one another.
    const DEPTH: usize = 64;
    /// How many elements there may be. Archives have about twenty for each file.
    const ELEMENTS: usize = 1_000_000;
    /// How many attributes an element may have. Manifests of app packages name every namespace that they use.
    const ATTRIBUTES: usize = 64;
}

/// Why a text is not the XML that is read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum XmlError {
    #[error("it is not UTF-8")]
    Encoding,
    #[error("it ends inside an element")]
    Truncated,
    #[error("an element or attribute is not well formed")]
    Malformed,
    #[error("an element ends that did not begin")]
    Mismatch,
    #[error("it has an entity, section, or instruction that is not accepted here")]
    Unsupported,
    #[error("elements lie more than {} deep in one another", Limits::DEPTH)]
    Depth,
    #[error("there are too many elements")]
    TooMany,
    #[error("there is text or an element outside the root")]
    Outside,
    #[error("an element or attribute is there more than once")]
    Twice,
}

/// An element with all that lies in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) name: &'a str,
    attributes: Vec<(&'a str, String)>,
    /// The text in it, without that of the elements in it.
    pub(crate) text: String,
    pub(crate) children: Vec<Element<'a>>,
}

impl<'a> Element<'a> {
    /// The elements of a name directly in it.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The one element of a name directly in it.
    pub(crate) fn only(&self, name: &str) -> Result<Option<&Self>, XmlError> {
        let mut found = self.all(name);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(XmlError::Twice),
            (found, None) => Ok(found),
        }
    }

    /// Attributes and their values, in order.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(it, _)| *it == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The text in it as a number.
    pub(crate) fn number(&self) -> Option<u64> {
        let digits = self.text.trim();
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse().ok().filter(|_| is_plain)
    }
}

/// A document in UTF-8: one that a byte order mark says to be in UTF-16 is brought into it. None where it is not.
pub(crate) fn in_utf8(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    let (order, units): (fn([u8; 2]) -> u16, _) = match bytes.split_first_chunk()? {
        ([0xff, 0xfe], units) => (u16::from_le_bytes, units),
        ([0xfe, 0xff], units) => (u16::from_be_bytes, units),
        _ => return Some(Cow::Borrowed(bytes)),
    };
    let (units, rest) = units.as_chunks::<2>();
    let units: Vec<_> = units.iter().map(|unit| order(*unit)).collect();
    let text = String::from_utf16(&units).ok().filter(|_| rest.is_empty());
    text.map(|text| Cow::Owned(text.into_bytes()))
}

/// What becomes of `<![CDATA[…]]>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sections {
    /// Documents of which every byte counts have none.
    AreRefused,
    /// It is text. Release notes in appcasts are written so.
    AreText,
}

/// Reads a document and gives its root.
pub(crate) fn parse(bytes: &[u8]) -> Result<Element<'_>, XmlError> {
    parse_with(bytes, Sections::AreRefused)
}

/// The same, where sections may be text.
pub(crate) fn parse_with(bytes: &[u8], sections: Sections) -> Result<Element<'_>, XmlError> {
    let text = std::str::from_utf8(bytes).map_err(|_| XmlError::Encoding)?;
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(declared) = rest.strip_prefix("<?xml") {
        rest = declared.split_once("?>").ok_or(XmlError::Truncated)?.1;
    }
    let mut open: Vec<Element<'_>> = Vec::new();
    let mut root = None;
    let mut count = 0;
    loop {
        let (before, markup) = match rest.find('<') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        match open.last_mut() {
            Some(element) => unescape(before, &mut element.text)?,
            None if before.trim().is_empty() => {}
            None => return Err(XmlError::Outside),
        }
        if markup.is_empty() {
            break;
        }
        if let Some(comment) = markup.strip_prefix("<!--") {
            rest = comment.split_once("-->").ok_or(XmlError::Truncated)?.1;
        } else if let (Some(section), Some(element), Sections::AreText) =
            (markup.strip_prefix("<![CDATA["), open.last_mut(), sections)
        {
            let (inside, behind) = section.split_once("]]>").ok_or(XmlError::Truncated)?;
            element.text.push_str(inside);
            rest = behind;
        } else if let Some(doctype) = markup.strip_prefix("<!DOCTYPE") {
            let (inside, behind) = doctype.split_once('>').ok_or(XmlError::Truncated)?;
            if root.is_some() || !open.is_empty() || inside.contains(['[', '<']) {
                return Err(XmlError::Unsupported);
            }
            rest = behind;
        } else if markup.starts_with("<!") || markup.starts_with("<?") {
            return Err(XmlError::Unsupported);
        } else if let Some(end) = markup.strip_prefix("</") {
            let (name, behind) = end.split_once('>').ok_or(XmlError::Truncated)?;
            let element = open.pop().ok_or(XmlError::Mismatch)?;
            if element.name != name.trim_end() {
                return Err(XmlError::Mismatch);
            }
            close(element, &mut open, &mut root)?;
            rest = behind;
        } else {
            count += 1;
            if count > Limits::ELEMENTS {
                return Err(XmlError::TooMany);
            }
            let (element, is_empty, behind) = begin(markup.get(1..).unwrap_or_default())?;
            if open.len() >= Limits::DEPTH {
                return Err(XmlError::Depth);
            }
            if is_empty {
                close(element, &mut open, &mut root)?;
            } else {
                open.push(element);
            }
            rest = behind;
        }
    }
    if open.is_empty() {
        root.ok_or(XmlError::Truncated)
    } else {
        Err(XmlError::Truncated)
    }
}

fn close<'a>(
    element: Element<'a>,
    open: &mut [Element<'a>],
    root: &mut Option<Element<'a>>,
) -> Result<(), XmlError> {
    match open.last_mut() {
        Some(above) => above.children.push(element),
        None if root.is_some() => return Err(XmlError::Outside),
        None => *root = Some(element),
    }
    Ok(())
}

/// Reads a start tag behind its `<`: the element, whether it is empty, and what follows.
fn begin(text: &str) -> Result<(Element<'_>, bool, &str), XmlError> {
    let (name, mut rest) = name(text)?;
    let mut attributes: Vec<(&str, String)> = Vec::new();
    loop {
        let trimmed = rest.trim_start();
        let is_empty = trimmed.starts_with("/>");
        if is_empty || trimmed.starts_with('>') {
            let behind = trimmed.get(1 + usize::from(is_empty)..).unwrap_or_default();
            let element = Element {
                name,
                attributes,
                text: String::new(),
                children: Vec::new(),
            };
            return Ok((element, is_empty, behind));
        }
        // XML 1.0 section 3.1: white space stands before each attribute.
        if trimmed.len() == rest.len() || attributes.len() >= Limits::ATTRIBUTES {
            return Err(XmlError::Malformed);
        }
        let (key, behind) = self::name(trimmed)?;
        let behind = behind.trim_start().strip_prefix('=');
        let behind = behind.ok_or(XmlError::Malformed)?.trim_start();
        let quote = behind.chars().next().filter(|it| matches!(it, '"' | '\''));
        let quote = quote.ok_or(XmlError::Malformed)?;
        let behind = behind.get(1..).unwrap_or_default();
        let (raw, behind) = behind.split_once(quote).ok_or(XmlError::Truncated)?;
        if raw.contains('<') {
            return Err(XmlError::Malformed);
        }
        if attributes.iter().any(|(it, _)| *it == key) {
            return Err(XmlError::Twice);
        }
        let mut value = String::new();
        unescape(raw, &mut value)?;
        attributes.push((key, value));
        rest = behind;
    }
}

fn name(text: &str) -> Result<(&str, &str), XmlError> {
    let is_part = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.' | ':');
    let end = text.find(|it| !is_part(it)).ok_or(XmlError::Truncated)?;
    let (name, rest) = text.split_at(end);
    if name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
        Ok((name, rest))
    } else {
        Err(XmlError::Malformed)
    }
}

/// Appends text with the five entities of XML and numbers of characters put in.
fn unescape(raw: &str, into: &mut String) -> Result<(), XmlError> {
    let mut rest = raw;
    while let Some((before, entity)) = rest.split_once('&') {
        into.push_str(before);
        let (entity, behind) = entity.split_once(';').ok_or(XmlError::Malformed)?;
        let number = |digits, radix| {
            let code = u32::from_str_radix(digits, radix).ok();
            code.and_then(char::from_u32).ok_or(XmlError::Malformed)
        };
        into.push(match entity {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            _ => match (entity.strip_prefix("#x"), entity.strip_prefix('#')) {
                (Some(digits), _) => number(digits, 16)?,
                (None, Some(digits)) => number(digits, 10)?,
                (None, None) => return Err(XmlError::Unsupported),
            },
        });
        rest = behind;
    }
    into.push_str(rest);
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn elements_attributes_and_text_are_read() {
        let text = b"<?xml version='1.0'?>\n<!DOCTYPE plist PUBLIC \"a\" \"b\">\n<a x=\"1\" y='&lt;'><b/>c&amp;<b>&#65;</b><!-- > --></a >\n";
        let root = parse(text).expect("XML");
        assert_eq!((root.name, root.text.as_str()), ("a", "c&"));
        assert_eq!(
            (root.attribute("x"), root.attribute("y")),
            (Some("1"), Some("<"))
        );
        assert_eq!(root.all("b").count(), 2);
        assert_eq!(root.only("b"), Err(XmlError::Twice));
        assert_eq!(root.children[1].text, "A");
    }

    #[test]
    fn sections_are_text_where_they_may_be() {
        let read = |text: &'static str| parse_with(text.as_bytes(), Sections::AreText);
        let root = read("<a>b<![CDATA[<c> & ]] ]]>&gt;</a>").expect("XML");
        assert_eq!(root.text, "b<c> & ]] >");
        assert_eq!(read("<a><![CDATA[b</a>"), Err(XmlError::Truncated));
        assert_eq!(read("<![CDATA[b]]><a/>"), Err(XmlError::Unsupported));
        assert_eq!(read("<a/><![CDATA[b]]>"), Err(XmlError::Unsupported));
    }

    #[test]
    fn utf_16_is_read_by_its_mark() {
        let text = "<a>\u{1f600}</a>";
        let units: Vec<_> = text.encode_utf16().collect();
        let little = units.iter().flat_map(|unit| unit.to_le_bytes());
        let little: Vec<_> = [0xff, 0xfe].into_iter().chain(little).collect();
        let big = units.iter().flat_map(|unit| unit.to_be_bytes());
        let big: Vec<_> = [0xfe, 0xff].into_iter().chain(big).collect();
        for bytes in [text.as_bytes(), &little, &big] {
            assert_eq!(in_utf8(bytes).as_deref(), Some(text.as_bytes()));
        }
        assert_eq!(in_utf8(&little[..little.len() - 1]), None);
        assert_eq!(in_utf8(&[0xff, 0xfe, 0x00, 0xd8]), None, "half a character");
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        for (text, error) in [
            ("", XmlError::Truncated),
            ("<a>", XmlError::Truncated),
            ("<a></b>", XmlError::Mismatch),
            ("</a>", XmlError::Mismatch),
            ("<a/><b/>", XmlError::Outside),
            ("<a/>text", XmlError::Outside),
            ("<a x='1' x='2'/>", XmlError::Twice),
            ("<a x='1'y='2'/>", XmlError::Malformed),
            ("<a x='<'/>", XmlError::Malformed),
            ("<a>&b;</a>", XmlError::Unsupported),
            ("<a><![CDATA[b]]></a>", XmlError::Unsupported),
            ("<a><?b?></a>", XmlError::Unsupported),
            ("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", XmlError::Unsupported),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(error), "{text}");
        }
        assert_eq!(parse(b"<a>\xff</a>"), Err(XmlError::Encoding));
        assert_eq!(
            parse("<a>".repeat(100_000).as_bytes()),
            Err(XmlError::Depth)
        );
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[<>/!?a&;#x='\" \\[-]{0,64}") {
            let _ = parse_with(text.as_bytes(), Sections::AreText);
        }
    }
}
