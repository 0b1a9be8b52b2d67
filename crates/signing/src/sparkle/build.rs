//! How Sparkle orders build numbers, `sparkle:version` (`SUStandardVersionComparator`): runs of digits, runs of text, and
//! what stands between, each by itself.
//!
//! departs: Sparkle 2 takes `1.0` and `1.0.0` for the same, version 1 the longer one for higher; here it is higher, as some
//! clients have it.

use std::cmp::Ordering;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Number,
    Text,
    Between,
}

/// Which of two is higher.
pub(crate) fn order(left: &str, right: &str) -> Ordering {
    let (left, right) = (parts(left), parts(right));
    for ((class, part), (other_class, other)) in left.iter().zip(&right) {
        let order = match (class, other_class) {
            (Class::Number, Class::Number) => of_numbers(part, other),
            (Class::Text, Class::Text) => part.cmp(other),
            (Class::Between, Class::Between) => Ordering::Equal,
            // What is before a text wins over it: 1.5 over 1.5b3. A number wins over what stands between.
            (Class::Text, _) | (Class::Between, Class::Number) => Ordering::Less,
            (_, Class::Text) | (Class::Number, Class::Between) => Ordering::Greater,
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    let longer = |rest: Option<&(Class, &str)>, by_number| match rest {
        Some((Class::Text, _)) => Ordering::reverse(by_number),
        _ => by_number,
    };
    match left.len().cmp(&right.len()) {
        Ordering::Equal => Ordering::Equal,
        Ordering::Greater => longer(left.get(right.len()), Ordering::Greater),
        Ordering::Less => longer(right.get(left.len()), Ordering::Less),
    }
}

/// Numbers of any length.
fn of_numbers(left: &str, right: &str) -> Ordering {
    let plain = |it: &str| it.trim_start_matches('0').len();
    let by_length = plain(left).cmp(&plain(right));
    let digits = |it: &str| it.trim_start_matches('0').to_owned();
    by_length.then_with(|| digits(left).cmp(&digits(right)))
}

fn class(character: char) -> Class {
    match character {
        '0'..='9' => Class::Number,
        it if it.is_whitespace() || it.is_ascii_punctuation() && !"$+<=>^`|~".contains(it) => {
            Class::Between
        }
        _ => Class::Text,
    }
}

/// Runs of one class. What stands between is never joined.
fn parts(text: &str) -> Vec<(Class, &str)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let of_first = class(first);
        let end = match of_first {
            Class::Between => first.len_utf8(),
            _ => {
                let other = rest.find(|it| class(it) != of_first);
                other.unwrap_or(rest.len())
            }
        };
        let (part, behind) = rest.split_at(end);
        parts.push((of_first, part));
        rest = behind;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_are_ordered_as_sparkle_orders_them() {
        // Each is lower than the next one.
        let ascending = [
            "99",
            "140",
            "141b2",
            "141",
            "141.0",
            "141.2",
            "141.10",
            "99999",
            "99999999999999999999999",
        ];
        for pair in ascending.windows(2) {
            assert_eq!(order(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(order(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
        assert_eq!(order("1.5a", "1.5b"), Ordering::Less);
        assert_eq!(order("1.5-2", "1.5_2"), Ordering::Equal);
        assert_eq!(order("0140", "140"), Ordering::Equal);
        assert_eq!(order("", "1"), Ordering::Less);
        assert_eq!(order("", ""), Ordering::Equal);
    }
}
