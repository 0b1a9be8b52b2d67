//! Scripts and texts with anything in them.

use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Anything may be written anywhere; the answer may be anything but a panic, and `valid` only where the text is what it was.
    #[test]
    fn random_changes_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::weighted(0.2, any::<prop::sample::Index>()),
        of in 0..ALL.len(),
    ) {
        let (name, original, _) = ALL[of];
        let mut copy = original.to_vec();
        for (at, byte) in changes {
            copy[at.index(original.len())] = byte;
        }
        if let Some(cut) = cut {
            copy.truncate(cut.index(original.len()));
        }
        if look(name, &copy).verdict == Verdict::Valid {
            let language = Language::of_name(name).expect("a script");
            let start = |bytes: &[u8]| {
                let text = Text::read(bytes, language).expect("a text");
                let block = Block::find(&text.units, language).expect("a block").expect("a signature");
                text.units[..block.start].to_vec()
            };
            prop_assert_eq!(start(&copy), start(original));
        }
    }

    #[test]
    fn random_texts_never_panic(text in "(# |// |<!-- |'' )?(SIG # |SIG // |Begin signature block|End|\r\n|\\PC){0,60}", of in 0..ALL.len()) {
        prop_assert_ne!(look(ALL[of].0, text.as_bytes()).verdict, Verdict::Valid);
    }
}
