//! Texts end where they end, wherever that is in a word or in a piece of the file.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn the_end_of_a_text_is_found_wherever_it_stands(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let expected = bytes.iter().position(|byte| *byte == b'"' || *byte == b'\\' || *byte < 0x20);
        prop_assert_eq!(special(&bytes), expected);
    }

    #[test]
    fn a_text_without_an_end_is_short_however_long_it_is(length in 0_usize..40) {
        prop_assert_eq!(special(&vec![b'a'; length]), None);
    }
}

#[test]
fn a_character_that_a_piece_ends_in_is_read_whole() {
    for inside in 0..=4 {
        let before = r#"{"Texts": [""#;
        let text = "a".repeat(PIECE - before.len() - inside) + "\u{1f600}";
        let mut texts = Vec::new();
        let read = items(format!(r#"{before}{text}", "end"]}}"#).as_bytes(), "Texts", |scanner| {
            texts.push(scanner.text()?.into_owned());
            Ok(())
        });
        assert_eq!(read.unwrap(), Rest { more: false }, "{inside}");
        assert!(texts == [text.as_str(), "end"], "{inside}");
    }
}

#[test]
fn what_is_no_utf_8_is_left_to_the_ordinary_way() {
    for wrong in
        [&b"{\"Texts\": [\"\xff\"]}"[..], b"{\"Texts\": [\"\xf0\x9f\x98\"]}", b"{\"Texts\": []}\xf0\x9f"]
    {
        let read = items(wrong, "Texts", |scanner| scanner.text().map(drop));
        assert!(matches!(read, Err(Failed::Odd)), "{read:?}");
    }
}
