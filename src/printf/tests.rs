//! Tests of formatting. The expected texts are those of glibc.

use mailbox_rs::PtrWidth::{self, P4, P8};
use proptest::prelude::*;

use super::partial_text::Rendered;
use super::*;
use crate::sim::snprintf::oracle;

/// Formats without problems and without strings.
fn print(format: &str, args: &[u64], width: PtrWidth) -> String {
    let rendered = render(format, args, width, &[]);
    assert_eq!(rendered.problems, [], "{format}");
    String::from_utf8(rendered.text).unwrap()
}

fn render(format: &str, args: &[u64], width: PtrWidth, strings: &[Option<&str>]) -> Rendered {
    let draft = PartialText::new(format.as_bytes(), args, args.len(), width);
    draft.finish(strings.iter().copied())
}

fn float(value: f32) -> u64 {
    value.to_bits().into()
}

/// Expects the same text for both widths.
#[track_caller]
fn both(format: &str, args: &[u64], expected: &str) {
    assert_eq!(print(format, args, P4), expected, "{format}, 4 bytes");
    assert_eq!(print(format, args, P8), expected, "{format}, 8 bytes");
}

#[test]
fn text() {
    both("", &[], "");
    both("plain\n", &[1, 2], "plain\n");
    both("100%%, %%d", &[], "100%, %d");
    both("%d%%%d", &[1, 2], "1%2");
    both("\u{e9}%d\u{e9}", &[1], "\u{e9}1\u{e9}");
}

#[test]
fn integers() {
    let minus_one = u64::from(u32::MAX);
    both("%d", &[0], "0");
    both("%d", &[minus_one], "-1");
    both("%i", &[0x8000_0000], "-2147483648");
    both("%u", &[minus_one], "4294967295");
    both("%x %X %o", &[0xbeef, 0xbeef, 8], "beef BEEF 10");
    both("%#x %#X %#o", &[0xbeef, 0xbeef, 8], "0xbeef 0XBEEF 010");
    both("%#x %#o", &[0, 0], "0 0");
    both(
        "[%5d] [%-5d] [%05d]",
        &[42, 42, 42],
        "[   42] [42   ] [00042]",
    );
    both("[%+d] [% d] [%+ d]", &[42, 42, 42], "[+42] [ 42] [+42]");
    both(
        "[%.3d] [%6.3d] [%-6.3d] [%06.3d]",
        &[7, 7, 7, 7],
        "[007] [   007] [007   ] [   007]",
    );
    both("[%.0d] [%.d] [%.0d]", &[0, 0, 1], "[] [] [1]");
    both("[%-05d] [%+05d] [%+u]", &[7, 7, 7], "[7    ] [+0007] [7]");
    both(
        "[%#010x] [%#-10x] [%#10x]",
        &[255, 255, 255],
        "[0x000000ff] [0xff      ] [      0xff]",
    );
    both("[%#d] [%#u]", &[1, 1], "[1] [1]");
}

#[test]
fn lengths() {
    both("%hhd %hhu %hhx", &[0x1ff, 0x1ff, 0x1ff], "-1 255 ff");
    both(
        "%hd %hu %ho",
        &[0x1_8000, 0x1_8000, 0x1_0008],
        "-32768 32768 10",
    );
    for length in ["l", "ll", "j", "z", "t"] {
        let signed = format!("%{length}d");
        let unsigned = format!("%{length}x");
        assert_eq!(print(&signed, &[0xffff_ffff], P8), "4294967295");
        assert_eq!(print(&signed, &[u64::MAX], P8), "-1");
        assert_eq!(print(&unsigned, &[0x1_2345_6789], P8), "123456789");
    }
    for length in ["l", "z", "t"] {
        let signed = format!("%{length}d");
        let unsigned = format!("%{length}x");
        assert_eq!(print(&signed, &[0xffff_ffff], P4), "-1");
        assert_eq!(print(&unsigned, &[0x1_2345_6789], P4), "23456789");
    }
}

#[test]
fn arguments_of_64_bits_take_two_words_of_four_bytes() {
    let minus_one = u64::from(u32::MAX);
    for length in ["ll", "j"] {
        for (letter, low, high, expected) in [
            ("d", 1, 2, "8589934593"),
            ("i", minus_one, minus_one, "-1"),
            ("d", 0, 0x8000_0000, "-9223372036854775808"),
            ("u", minus_one, minus_one, "18446744073709551615"),
            ("x", 0x89ab_cdef, 0x0123_4567, "123456789abcdef"),
            ("X", 0xa, 0, "A"),
            ("o", 0, 1, "40000000000"),
        ] {
            // The next conversion gets its own argument.
            let format = format!("%{length}{letter} %d");
            let expected = format!("{expected} 7");
            assert_eq!(print(&format, &[low, high, 7], P4), expected, "{format}");
        }
        let short = format!("%d %{length}d");
        let unmet_text = format!("1 %{length}d");
        unmet(&short, &[1], P4, &unmet_text, Cause::NoArgument);
        // As many words as arguments.
        assert_eq!(print(&short, &[1, 2], P4), "1 2");
    }
    assert_eq!(print("%*.*lld|", &[6, 3, 5, 0], P4), "   005|");
}

/// Expects the text of the lower half of a word, and these messages about the upper half.
#[track_caller]
fn cut(format: &str, args: &[u64], width: PtrWidth, text: &str, shown: &[&str]) {
    let rendered = render(format, args, width, &[]);
    assert_eq!(String::from_utf8_lossy(&rendered.text), text, "{format}");
    assert_eq!(rendered.problems, [], "{format}");
    let cut: Vec<_> = rendered.truncated.iter().map(ToString::to_string).collect();
    assert_eq!(cut, shown, "{format}");
}

#[test]
fn half_a_word_is_not_lost_without_a_word() {
    let wide = 0x1_0000_0002;
    for (letter, text) in [
        ("d", "2"),
        ("i", "2"),
        ("u", "2"),
        ("x", "2"),
        ("X", "2"),
        ("o", "2"),
    ] {
        let shown =
            format!("`%-1{letter}` takes 32 bits of 0x100000002; `%-1l{letter}` takes all of it");
        cut(&format!("%-1{letter}"), &[wide], P8, text, &[&shown]);
    }
    // The upper half of a number is its sign extension, or is reported.
    cut("%d", &[0xffff_ffff_8000_0000], P8, "-2147483648", &[]);
    cut("%x", &[u64::MAX], P8, "ffffffff", &[]);
    cut("%u", &[0xffff_ffff], P8, "4294967295", &[]);
    cut(
        "%u",
        &[0xffff_ffff_7fff_ffff],
        P8,
        "2147483647",
        &["`%u` takes 32 bits of 0xffffffff7fffffff; `%lu` takes all of it"],
    );
    let real = 1.5_f64.to_bits();
    cut(
        "%.1f",
        &[real],
        P8,
        "0.0",
        &["`%.1f` takes 32 bits of 0x3ff8000000000000; `%.1lf` takes all of it"],
    );
    cut(
        "%*.*d",
        &[0x1_0000_0003, 0x2_0000_0002, wide],
        P8,
        " 02",
        &[
            "`%*.*d` takes 32 bits of 0x100000003 as a width or precision",
            "`%*.*d` takes 32 bits of 0x200000002 as a width or precision",
            "`%*.*d` takes 32 bits of 0x100000002; `%*.*ld` takes all of it",
        ],
    );
}

#[test]
fn requested_truncation_is_not_reported() {
    let wide = 0x1_0000_0141;
    cut("%hd %hhx %c", &[wide, wide, wide], P8, "321 41 A", &[]);
    cut(
        "%ld %zx %tx",
        &[wide; 3],
        P8,
        "4294967617 100000141 100000141",
        &[],
    );
    cut(
        "%lld %jx %p",
        &[wide; 3],
        P8,
        "4294967617 100000141 0x100000141",
        &[],
    );
    // A word of 4 bytes has no upper half.
    cut("%d %x %f", &[wide, wide, wide], P4, "321 141 0.000000", &[]);
}

#[test]
fn width_and_precision_from_arguments() {
    both("[%*d]", &[5, 42], "[   42]");
    both("[%*d]", &[u64::from(-5_i32 as u32), 42], "[42   ]");
    both("[%-*d]", &[5, 42], "[42   ]");
    both("[%.*d] [%*.*d]", &[3, 7, 6, 3, 7], "[007] [   007]");
    both("[%.*d]", &[u64::from(-1_i32 as u32), 0], "[0]");
    both("[%.*d]", &[0x8000_0000, 7], "[7]");
    both("[%0*d]", &[4, 7], "[0007]");
}

#[test]
fn characters_and_pointers() {
    both("%c%c", &[0x41, 0x142], "AB");
    both(
        "[%3c] [%-3c] [%03c]",
        &[0x41, 0x41, 0x41],
        "[  A] [A  ] [  A]",
    );
    both("%c", &[0], "\0");
    both("%p", &[0x8000_0000], "0x80000000");
    assert_eq!(print("%p", &[u64::MAX], P4), "0xffffffff");
    assert_eq!(print("%p", &[u64::MAX], P8), "0xffffffffffffffff");
    both(
        "[%10p] [%-10p] [%010p]",
        &[0x1234, 0x1234, 0x1234],
        "[    0x1234] [0x1234    ] [0x00001234]",
    );
    both(
        "[%p] [%8p] [%-8p]",
        &[0, 0, 0],
        "[(nil)] [   (nil)] [(nil)   ]",
    );
}

#[test]
fn real_numbers() {
    let pi = float(std::f32::consts::PI);
    both("%f %e %g", &[pi, pi, pi], "3.141593 3.141593e+00 3.14159");
    both("%F %E %G", &[pi, pi, pi], "3.141593 3.141593E+00 3.14159");
    both("%a %A", &[float(1.0), float(0.5)], "0x1p+0 0X1P-1");
    both(
        "[%8.2f] [%-8.2f] [%08.2f] [%+.1f]",
        &[pi; 4],
        "[    3.14] [3.14    ] [00003.14] [+3.1]",
    );
    both(
        "%.0f %#.0f %.f",
        &[float(2.5), float(2.5), float(3.5)],
        "2 2. 4",
    );
    both(
        "%g %g %g",
        &[float(1e-5), float(100_000.0), float(1e6)],
        "1e-05 100000 1e+06",
    );
    both("%#g %g", &[float(1.0), float(1.0)], "1.00000 1");
    both(
        "%f %F",
        &[float(f32::INFINITY), float(f32::NEG_INFINITY)],
        "inf -INF",
    );
    both("%f %E", &[float(f32::NAN), float(f32::NAN)], "nan NAN");
    both("%f", &[float(-0.0)], "-0.000000");
    both("%.10e", &[float(f32::MIN_POSITIVE)], "1.1754943508e-38");
    both("%.*f", &[2, pi], "3.14");
    assert_eq!(
        print("%lf", &[std::f64::consts::E.to_bits()], P8),
        "2.718282"
    );
    assert_eq!(print("%.15lg", &[0.1_f64.to_bits()], P8), "0.1");
    assert_eq!(
        print("%.17lg", &[0.1_f64.to_bits()], P8),
        "0.10000000000000001"
    );
    assert_eq!(print("%.0lf", &[f64::MAX.to_bits()], P8).len(), 309);
    assert_eq!(
        print("%la", &[1.1_f64.to_bits()], P8),
        "0x1.199999999999ap+0"
    );
    // Bits beyond a `float` are not printed.
    assert_eq!(print("%f", &[0xffff_ffff_0000_0000 | pi], P8), "3.141593");
}

#[test]
fn strings() {
    let format = "[%s] [%5s] [%-5s] [%.2s] [%5.1s] [%05s]";
    let draft = PartialText::new(format.as_bytes(), &[1, 2, 3, 4, 5, 6], 6, P8);
    let wanted: Vec<_> = draft.strings().collect();
    let precisions = [None, None, None, Some(2), Some(1), None];
    let expected = (1..)
        .zip(precisions)
        .map(|(pointer, precision)| StringArg { pointer, precision });
    assert!(expected.eq(wanted.iter().copied()), "{wanted:?}");
    let rendered = draft.finish([Some("abc"); 6]);
    assert_eq!(rendered.problems, []);
    let text = String::from_utf8(rendered.text).unwrap();
    assert_eq!(text, "[abc] [  abc] [abc  ] [ab] [    a] [  abc]");
}

#[test]
fn a_string_ends_with_its_first_nul() {
    let rendered = render(
        "%s|%.3s|%.9s|%s",
        &[1, 1, 1, 1],
        P4,
        &[Some("a\0b"), Some("a\0b"), Some("abc"), Some("")],
    );
    assert_eq!(rendered.text, b"a|a|abc|");
}

#[test]
fn a_string_of_precision_zero_is_not_read() {
    let draft = PartialText::new(b"[%.0s] [%3.*s]", &[u64::MAX, 0, 7], 3, P8);
    assert_eq!(draft.strings().len(), 0);
    assert_eq!(draft.finish::<&str>([]).text, b"[] [   ]");
}

#[test]
fn pointers_have_the_width_of_the_channel() {
    let pointer = |width| {
        PartialText::new(b"%s", &[u64::MAX], 1, width)
            .strings()
            .next()
            .unwrap()
            .pointer
    };
    assert_eq!(pointer(P4), 0xffff_ffff);
    assert_eq!(pointer(P8), u64::MAX);
}

/// Expects one unsupported conversion, which is copied unchanged, and the right arguments for the
/// later ones.
#[track_caller]
fn unmet(format: &str, args: &[u64], width: PtrWidth, text: &str, cause: Cause) {
    let rendered = render(format, args, width, &[]);
    assert_eq!(String::from_utf8_lossy(&rendered.text), text, "{format}");
    let causes: Vec<_> = rendered
        .problems
        .iter()
        .map(|problem| problem.cause)
        .collect();
    assert_eq!(causes, [cause], "{format}");
}

#[test]
fn unmet_conversions_are_copied_unchanged() {
    unmet("<%n> %d", &[1, 2], P8, "<%n> 2", Cause::Stores);
    unmet("%hhn", &[], P4, "%hhn", Cause::Stores);
    unmet("%d", &[], P4, "%d", Cause::NoArgument);
    unmet("%d %d", &[1], P4, "1 %d", Cause::NoArgument);
    unmet("%*d", &[1], P4, "%*d", Cause::NoArgument);
    unmet("%y %d", &[1], P4, "%y 1", Cause::Unknown);
    unmet("%-5%", &[1], P4, "%-5%", Cause::Unknown);
    unmet("%1$d", &[1], P4, "%1$d", Cause::Unknown);
    unmet("%'d", &[1], P4, "%'d", Cause::Unknown);
    unmet("%.-3d", &[1], P4, "%.-3d", Cause::Unknown);
    unmet("%\u{e9}", &[1], P4, "%\u{e9}", Cause::Unknown);
    unmet("%hhhd", &[1], P4, "%hhhd", Cause::Unknown);
    unmet("%", &[1], P4, "%", Cause::Incomplete);
    unmet("a%-08.3ll", &[1], P4, "a%-08.3ll", Cause::Incomplete);
    unmet("%lf %d", &[1, 2], P4, "%lf 2", Cause::Double);
    unmet("%Lf %d", &[1, 2], P8, "%Lf 2", Cause::LongDouble);
    unmet("%Ld %d", &[1, 2], P8, "%Ld 2", Cause::Length);
    unmet("%hf %d", &[1, 2], P8, "%hf 2", Cause::Length);
    unmet("%hs %d", &[1, 2], P8, "%hs 2", Cause::Length);
    unmet("%lp %d", &[1, 2], P8, "%lp 2", Cause::Length);
    unmet("%ls %d", &[1, 2], P8, "%ls 2", Cause::Wide);
    unmet("%lc %d", &[1, 2], P8, "%lc 2", Cause::Wide);
    unmet(
        "%s %d",
        &[16, 2],
        P8,
        "%s 2",
        Cause::Unreadable { pointer: 16 },
    );
    unmet("%s", &[0], P8, "%s", Cause::Unreadable { pointer: 0 });
}

#[test]
fn width_and_precision_are_bounded() {
    assert_eq!(print("%4096d", &[1], P4).len(), 4096);
    assert_eq!(print("%.4096d", &[1], P4).len(), 4096);
    assert_eq!(print("%*d", &[4096, 1], P4).len(), 4096);
    let minimum = 0x8000_0000;
    for (format, args) in [
        ("%4097d", &[1][..]),
        ("%.4097f", &[1]),
        ("%99999999999999999999999c", &[1]),
        ("%5000s", &[1]),
        ("%*d", &[4097, 1]),
        ("%*d", &[minimum, 1]),
        ("%.*d", &[4097, 1]),
    ] {
        let followed = format!("{format} %d");
        let args = [args, &[2]].concat();
        unmet(
            &followed,
            &args,
            P8,
            &format!("{format} 2"),
            Cause::TooLarge,
        );
    }
}

#[test]
fn problems_name_the_conversion() {
    let rendered = render("%+y %s %n", &[0x10, 0], P4, &[None]);
    let problems: Vec<_> = rendered.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "`%+y` is printed unchanged: unknown conversion",
            "`%n` is printed unchanged: it would write to memory",
            "`%s` is printed unchanged: there is no readable string at 0x10",
        ]
    );
}

/// Generates flags, width and precision of a format, and the values of each `*`.
fn shapes() -> impl Strategy<Value = (String, Vec<i32>)> {
    let flag = |flag: &'static str| prop::option::of(Just(flag));
    let flags = (flag("-"), flag("+"), flag(" "), flag("0"));
    let amount = || {
        prop_oneof![
            2 => Just((String::new(), None)),
            2 => (1..40_i32).prop_map(|amount| (amount.to_string(), None)),
            1 => (-40..40_i32).prop_map(|amount| ("*".to_owned(), Some(amount))),
        ]
    };
    (flags, amount(), prop::option::of(amount())).prop_map(|(flags, width, precision)| {
        let (minus, plus, space, zero) = flags;
        let mut shape: String = [minus, plus, space, zero].into_iter().flatten().collect();
        shape.push_str(&width.0);
        let mut stars = Vec::from_iter(width.1);
        if let Some((text, star)) = precision {
            shape.push('.');
            shape.push_str(&text);
            stars.extend(star);
        }
        (shape, stars)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// A channel of 8 bytes prints the same as C with 64-bit words, for every length, letter and
    /// shape.
    #[test]
    fn integers_are_those_of_c(
        (shape, stars) in shapes(),
        alternate in any::<bool>(),
        length in prop::sample::select(&["", "hh", "h", "l", "ll", "j", "z", "t"][..]),
        letter in prop::sample::select(&b"diuxXo"[..]),
        word in prop_oneof![any::<u64>(), any::<i8>().prop_map(|small| small as u64)],
    ) {
        // In C, `#` is undefined for decimal numbers.
        let hash = if alternate && b"xXo".contains(&letter) { "#" } else { "" };
        let format = format!("%{hash}{shape}{length}{}", char::from(letter));
        let expected = oracle::print(&format, &stars, oracle::Value::Integer(length, word));
        let mut args: Vec<u64> = stars.iter().map(|&star| star as u64).collect();
        args.push(word);
        prop_assert_eq!(print(&format, &args, P8), expected.clone(), "{}", format);

        // On a channel of 4 bytes, a 64-bit number is two words.
        let wide = ["ll", "j"].contains(&length);
        let narrow = ["l", "z", "t"].contains(&length);
        if wide {
            args.push(word >> 32);
        }
        // A `long` has 32 bits there, so C's text for an `int` is expected.
        let expected = if narrow {
            let format = format!("%{hash}{shape}{}", char::from(letter));
            oracle::print(&format, &stars, oracle::Value::Integer("", word))
        } else {
            expected
        };
        prop_assert_eq!(print(&format, &args, P4), expected, "{}", format);
    }

    #[test]
    fn real_numbers_are_those_of_c(
        (shape, stars) in shapes(),
        alternate in any::<bool>(),
        letter in prop::sample::select(&b"fFeEgGaA"[..]),
        value in any::<f64>(),
    ) {
        let hash = if alternate { "#" } else { "" };
        let letter = char::from(letter);
        let args = |bits: u64| {
            let mut args: Vec<u64> = stars.iter().map(|&star| star as u64).collect();
            args.push(bits);
            args
        };
        let double = oracle::print(&format!("%{hash}{shape}{letter}"), &stars, oracle::Value::Real(value));
        let format = format!("%{hash}{shape}l{letter}");
        prop_assert_eq!(print(&format, &args(value.to_bits()), P8), double, "{}", format);

        let value = value as f32;
        let single = oracle::print(&format!("%{hash}{shape}{letter}"), &stars, oracle::Value::Real(value.into()));
        let format = format!("%{hash}{shape}{letter}");
        prop_assert_eq!(print(&format, &args(float(value)), P8), single.clone(), "{}", format);
        prop_assert_eq!(print(&format, &args(float(value)), P4), single, "{}", format);
    }

    #[test]
    fn characters_pointers_and_strings_are_those_of_c(
        minus in any::<bool>(),
        width in prop::option::of(1..40_u32),
        precision in prop::option::of(0..12_u32),
        text in "[a-z]{0,10}",
        character in 1..127_u8,
        pointer in any::<u64>(),
    ) {
        let field = format!("%{}{}", if minus { "-" } else { "" }, width.map_or(String::new(), |width| width.to_string()));
        let cut = precision.map_or(String::new(), |precision| format!(".{precision}"));

        let format = format!("{field}c");
        let expected = oracle::print(&format, &[], oracle::Value::Integer("", character.into()));
        prop_assert_eq!(print(&format, &[u64::from(character) | 0x100], P8), expected, "{}", format);

        let format = format!("{field}p");
        let expected = oracle::print(&format, &[], oracle::Value::Pointer(pointer));
        prop_assert_eq!(print(&format, &[pointer], P8), expected, "{}", format);

        let format = format!("{field}{cut}s");
        let expected = oracle::print(&format, &[], oracle::Value::Text(&text));
        let rendered = render(&format, &[16], P8, &[Some(&text)]);
        prop_assert_eq!(String::from_utf8(rendered.text).unwrap(), expected, "{}", format);
    }
}

/// Generates bytes with many conversions.
fn formats() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => Just(b'%'),
        12 => prop::sample::select(&b"diouxXcspnfFeEgGaA*.-+ #0123456789hljztLqI'$"[..]),
        1 => any::<u8>(),
    ];
    prop::collection::vec(byte, 0..200)
}

fn words() -> impl Strategy<Value = Vec<u64>> {
    let word = prop_oneof![
        0..5000_u64,
        any::<u64>(),
        any::<f64>().prop_map(f64::to_bits)
    ];
    prop::collection::vec(word, 0..18)
}

proptest! {
    #[test]
    fn no_format_panics_or_prints_without_bound(
        format in formats(),
        args in words(),
        wide in any::<bool>(),
        strings in prop::collection::vec(prop::option::of(prop::collection::vec(any::<u8>(), 0..64)), 0..18),
    ) {
        let width = if wide { P8 } else { P4 };
        let draft = PartialText::new(&format, &args, args.len(), width);
        prop_assert!(draft.strings().len() <= args.len());
        prop_assert!(draft.strings().all(|wanted| wanted.pointer == width.truncate(wanted.pointer)));
        let rendered = draft.finish(strings);
        // Longest text of one argument: a sign, 309 digits, a point and 4096 digits.
        prop_assert!(rendered.text.len() <= format.len() + args.len() * 4407);
        prop_assert!(rendered.problems.len() <= format.len());
    }

    #[test]
    fn text_without_conversions_stays(text in "[^%]*") {
        let rendered = render(&text, &[], P4, &[]);
        prop_assert_eq!(rendered.text, text.into_bytes());
    }

    #[test]
    fn integers_are_those_of_rust(word in any::<u64>()) {
        prop_assert_eq!(print("%ld", &[word], P8), (word as i64).to_string());
        prop_assert_eq!(print("%lu", &[word], P8), word.to_string());
        prop_assert_eq!(print("%#lx", &[word | 1], P8), format!("{:#x}", word | 1));
        prop_assert_eq!(print("%d", &[word], P8), (word as i32).to_string());
        prop_assert_eq!(print("%ld", &[word], P4), (word as i32).to_string());
        prop_assert_eq!(print("%lld", &[word, word >> 32], P4), (word as i64).to_string());
        prop_assert_eq!(print("%hhd", &[word], P4), (word as i8).to_string());
        prop_assert_eq!(print("%020lu", &[word], P8), format!("{word:020}"));
    }

    #[test]
    fn real_numbers_are_those_of_rust(value in -1e9_f64..1e9) {
        prop_assert_eq!(print("%.3lf", &[value.to_bits()], P8), format!("{value:.3}"));
    }
}

/// Argument of a conversion, by the protocol's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// Integer of so many bits, true if signed.
    Integer(u32, bool),
    Byte,
    Pointer,
    Text,
    Float,
    Double,
}

/// Row of the protocol's table for a letter and a length, with words of `bits`; `None` if the table
/// has none.
fn of_the_protocol(letter: char, length: &str, bits: u32) -> Option<Takes> {
    let integer = match length {
        "" => Some(32),
        "hh" => Some(8),
        "h" => Some(16),
        "l" | "z" | "t" => Some(bits),
        "ll" | "j" => Some(64),
        _ => None,
    };
    match (letter, length) {
        ('d' | 'i', _) => integer.map(|bits| Takes::Integer(bits, true)),
        ('u' | 'x' | 'X' | 'o', _) => integer.map(|bits| Takes::Integer(bits, false)),
        ('c', "") => Some(Takes::Byte),
        ('p', "") => Some(Takes::Pointer),
        ('s', "") => Some(Takes::Text),
        ('f' | 'F' | 'e' | 'E' | 'g' | 'G' | 'a' | 'A', "") => Some(Takes::Float),
        ('f' | 'F' | 'e' | 'E' | 'g' | 'G' | 'a' | 'A', "l") if bits == 64 => Some(Takes::Double),
        _ => None,
    }
}

/// Text of an integer of `bits`, by Rust's own formatting.
fn integer(letter: char, bits: u32, signed: bool, value: u64) -> String {
    let unused = 64 - bits;
    let low = value << unused >> unused;
    match letter {
        _ if signed => ((value << unused).cast_signed() >> unused).to_string(),
        'x' => format!("{low:x}"),
        'X' => format!("{low:X}"),
        'o' => format!("{low:o}"),
        _ => low.to_string(),
    }
}

const LENGTHS: [&str; 10] = ["", "hh", "h", "l", "ll", "j", "z", "t", "L", "q"];

/// Every letter with every length, for both widths: text, consumed words, and bytes that are copied
/// unchanged.
#[test]
fn every_conversion_takes_its_words_by_the_protocol() {
    let values = [
        0,
        1,
        0x7f,
        0x80,
        0xffff,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_ffff,
        0x1_2345_6789,
        0x7fff_ffff_ffff_ffff,
        0x8000_0000_0000_0000,
        u64::MAX,
    ];
    let mut supported = 0;
    for (width, bits) in [(P4, 32), (P8, 64)] {
        for (letter, length) in ('a'..='z')
            .chain('A'..='Z')
            .flat_map(|letter| LENGTHS.map(|length| (letter, length)))
        {
            // The letter is a length itself, so the conversion continues after it.
            if "hljztL".contains(letter) {
                continue;
            }
            let conversion = format!("%{length}{letter}");
            let format = format!("{conversion}|");
            let Some(takes) = of_the_protocol(letter, length, bits) else {
                let rendered = render(&format, &[1, 2], width, &[]);
                assert_eq!(rendered.text, format.as_bytes(), "{format}");
                assert_eq!(rendered.problems.len(), 1, "{format}");
                continue;
            };
            supported += 1;
            for value in values {
                let words = match takes {
                    Takes::Integer(64, _) if width == P4 => vec![value & 0xffff_ffff, value >> 32],
                    _ => vec![value],
                };
                let draft = PartialText::new(format.as_bytes(), &words, words.len(), width);
                assert_eq!(draft.taken(), words.len(), "{format}");
                let strings: Vec<_> = draft.strings().map(|wanted| wanted.pointer).collect();
                let printed = draft.finish([Some("text")]);
                assert_eq!(printed.problems, [], "{format}");
                let text = String::from_utf8_lossy(&printed.text).into_owned();
                let text = text.strip_suffix('|').unwrap();
                let word = value & (u64::MAX >> (64 - bits));
                // C's text for the bits of a real number.
                let real =
                    |value| oracle::print(&format!("%{letter}"), &[], oracle::Value::Real(value));
                let expected = match takes {
                    Takes::Integer(bits, signed) => integer(letter, bits, signed, value),
                    Takes::Byte => String::from_utf8_lossy(&[value as u8]).into_owned(),
                    Takes::Pointer if word == 0 => "(nil)".to_owned(),
                    Takes::Pointer => format!("{word:#x}"),
                    Takes::Text => "text".to_owned(),
                    Takes::Float => real(f32::from_bits(value as u32).into()),
                    Takes::Double => real(f64::from_bits(value)),
                };
                assert_eq!(text, expected, "{format} of {value:#x}, {width:?}");
                let wanted = if takes == Takes::Text {
                    vec![word]
                } else {
                    vec![]
                };
                assert_eq!(strings, wanted, "{format}");
                // The upper half of a word is omitted with a warning, unless it is a sign extension
                // or zero.
                let half = matches!(takes, Takes::Integer(32, _) | Takes::Float);
                let sign = [0, 0xffff_ffff].contains(&(value >> 32))
                    && (value >> 32 == 0 || value & 0x8000_0000 != 0);
                let cut = width == P8 && half && length.is_empty() && !sign;
                assert_eq!(!printed.truncated.is_empty(), cut, "{format} of {value:#x}");
            }
        }
    }
    // Integers: 6 letters with 8 lengths; `c`, `p`, `s`; 8 letters for real numbers, with `l` for
    // words of 8 bytes.
    assert_eq!(supported, 2 * (6 * 8 + 3 + 8) + 8);
}

/// Every width and precision up to the maximum, and some beyond it, in the format and as an
/// argument.
#[test]
fn every_width_and_precision_up_to_the_maximum_is_met() {
    for amount in (0..=4096_usize).chain([4097, 4098, 65_536, 0x7fff_ffff]) {
        let word = amount as u64;
        for (fixed, by_argument, words, len) in [
            (format!("%{amount}d"), "%*d", vec![7], amount.max(1)),
            (format!("%-{amount}c"), "%-*c", vec![0x41], amount.max(1)),
            (format!("%.{amount}d"), "%.*d", vec![7], amount.max(1)),
        ] {
            // Zero is a flag, not a width.
            for (format, args) in [
                (fixed.as_str(), words.clone()),
                (by_argument, [&[word], &words[..]].concat()),
            ] {
                let rendered = render(format, &args, P4, &[]);
                if amount > 4096 {
                    assert_eq!(rendered.text, format.as_bytes());
                    assert_eq!(rendered.problems[0].cause, Cause::TooLarge);
                } else {
                    assert_eq!((rendered.text.len(), rendered.problems), (len, vec![]));
                }
            }
        }
    }
}

/// With two words for each number of 64 bits, they would exceed an entry.
#[test]
fn numbers_of_one_word_each_that_fill_an_entry() {
    let words: Vec<u64> = (1..=17).collect();
    for (ints, longs) in [(0, 9), (10, 4), (0, 17), (16, 1)] {
        let format = "%d ".repeat(ints) + &"%llx ".repeat(longs);
        let count = ints + longs;
        let draft = PartialText::new(format.as_bytes(), &words, count, P4);
        assert!(draft.narrowed_longs(), "{format}");
        let printed = draft.finish::<&str>([]);
        let number = |at: usize| match at < ints {
            true => format!("{} ", at + 1),
            false => format!("{:x} ", at + 1),
        };
        let expected: String = (0..count).map(number).collect();
        assert_eq!(String::from_utf8_lossy(&printed.text), expected, "{format}");
        assert_eq!(printed.problems, []);
    }
}

/// Every format of up to three conversions with every count of words, for words of 4 bytes.
#[test]
fn every_count_of_words_decides_the_words_of_a_number_of_64_bits() {
    /// Conversion, and for each of its arguments true if it has 64 bits. All are printed in
    /// hexadecimal.
    const POOL: [(&str, &[bool]); 4] = [
        ("%x", &[false]),
        ("%llx", &[true]),
        ("%*x", &[false, false]),
        ("%-*jx", &[false, true]),
    ];
    let words: Vec<u64> = (1..=17).collect();
    let mut narrowed = 0;
    for picks in 0..5_usize.pow(3) {
        let picks = [picks % 5, picks / 5 % 5, picks / 25];
        let parts: Vec<_> = picks.iter().filter_map(|pick| POOL.get(*pick)).collect();
        let format: String = parts.iter().map(|(text, _)| format!("{text};")).collect();
        let arguments = parts.iter().flat_map(|(_, args)| args.iter());
        let (args, longs) = (
            arguments.clone().count(),
            arguments.filter(|wide| **wide).count(),
        );
        for counted in 0..=8 {
            let one_each = longs > 0 && counted > 0 && counted == args;
            let mut rest = words.iter().copied();
            let mut expected = String::new();
            for (text, wide) in &parts {
                let mut numbers = wide.iter().map(|wide| {
                    let low = rest.next().unwrap();
                    match wide {
                        true if !one_each => rest.next().unwrap() << 32 | low,
                        _ => low,
                    }
                });
                let first = numbers.next().unwrap();
                expected += &match (numbers.next(), text.contains('-')) {
                    (None, _) => format!("{first:x};"),
                    (Some(number), false) => format!("{number:first$x};", first = first as usize),
                    (Some(number), true) => format!("{number:<first$x};", first = first as usize),
                };
            }
            let draft = PartialText::new(format.as_bytes(), &words, counted, P4);
            assert_eq!(draft.narrowed_longs(), one_each, "{format} {counted}");
            let taken = if one_each { args } else { args + longs };
            assert_eq!(draft.taken(), taken, "{format} {counted}");
            let printed = draft.finish::<&str>([]);
            assert_eq!(
                String::from_utf8_lossy(&printed.text),
                expected,
                "{format} {counted}"
            );
            narrowed += usize::from(one_each);
        }
    }
    assert!(narrowed > 50, "{narrowed}");
}
