//! The schema: its text, its limits, and values in and out of bytes.

mod arbitrary_schema;

use arbitrary_schema::{any_body, any_schema};
use memlane::schema::{
    DType, Datum, Element, Field, MAX_BODY_SIZE, MAX_DIMENSIONS, MAX_NESTING, MAX_SCHEMA_TEXT, Primitive,
    Schema, SchemaError, Structure,
};
use proptest::prelude::*;

fn parsed(text: &str) -> Schema {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal(text: &str) -> String {
    match text.parse::<Schema>() {
        Ok(schema) => panic!("{text} was taken for {schema}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn canonical_texts_stay_as_they_are() {
    let golden = [
        ("|b1", 1),
        ("|i1", 1),
        ("<i4", 4),
        (">f8", 8),
        ("<f2", 2),
        ("|S6", 6),
        ("[404,640,3]|u1 encoding=\"bgr8\"", 404 * 640 * 3),
        ("<f8 unit=\"m/s\"", 8),
        ("[2]<f4 unit=\"°\" encoding=\"a \\\"b\\\" \\\\\"", 8),
        ("{x:<f4,y:<f4}", 8),
        ("{t:<f8 unit=\"s\",pose@16:[3]<f4;32}", 32),
        ("[10]{a:|u1,b@4:{c:<i4,\"d e\":|S2;8};16}", 160),
        ("{;4}", 4),
    ];
    for (text, size) in golden {
        let schema = parsed(text);
        assert_eq!(schema.to_string(), text);
        assert_eq!(schema.size(), size, "{text}");
    }
}

#[test]
fn friendly_texts_become_canonical() {
    let golden = [
        ("f64", "<f8"),
        (" float64 ", "<f8"),
        ("double", "<f8"),
        ("float", "<f8"),
        ("single", "<f4"),
        ("half", "<f2"),
        ("f4", "<f4"),
        ("=f4", "<f4"),
        ("uint8", "|u1"),
        ("<u1", "|u1"),
        (">b1", "|b1"),
        ("bool", "|b1"),
        ("int", "<i8"),
        ("int32", "<i4"),
        // Rust's name; NumPy's code has a byte order.
        ("u8", "|u1"),
        ("<u8", "<u8"),
        ("i8", "|i1"),
        (">i8", ">i8"),
        ("S6", "|S6"),
        ("[404, 640, 3] uint8", "[404,640,3]|u1"),
        ("(404, 640, 3)uint8", "[404,640,3]|u1"),
        ("404x640x3 u8", "[404,640,3]|u1"),
        ("(3,)f4", "[3]<f4"),
        ("3f4", "[3]<f4"),
        ("()f4", "<f4"),
        ("u8 encoding=mono8 unit=lux", "|u1 unit=\"lux\" encoding=\"mono8\""),
        ("{ x : f32 unit=m , \"y\" : (2,) f32 ; 16 }", "{x:<f4 unit=\"m\",y:[2]<f4;16}"),
        ("{b@8:f4,a:u8,}", "{b@8:<f4,a:|u1}"),
        ("{b@8:f4,a@0:f4}", "{a:<f4,b@8:<f4}"),
    ];
    for (friendly, canonical) in golden {
        assert_eq!(parsed(friendly).to_string(), canonical, "{friendly}");
    }
}

#[test]
fn refusals_say_what_was_expected_found_and_where() {
    let golden = [
        (
            "",
            "at byte 0 of the text: expected a type such as `<f4`, `float32`, `|S6` or `{x:<f4,y:<f4}`, found the end",
        ),
        ("|f4", "at byte 0 of the text: expected a type such as"),
        ("<f32", "found `<f32`"),
        ("d", "found `d`"),
        ("[3]<f5", "at byte 3"),
        ("[3<f4", "at byte 2 of the text: expected `]`, found `<f4`"),
        ("[3,a]<f4", "at byte 3 of the text: expected a number of up to 19 digits, found `a]<f4`"),
        ("[99999999999999999999]|u1", "expected a number of up to 19 digits"),
        ("[0]|u1", "expected a dimension of at least 1, found 0"),
        ("|S0", "expected a run of bytes of at least 1"),
        ("|S4294967296", "expected a run of bytes of at most 4294967295 bytes"),
        ("{}", "expected a struct of at least 1"),
        ("{a:<f4", "at byte 6 of the text: expected `}`, found the end"),
        ("{a<f4}", "at byte 2 of the text: expected `:`, found `<f4}`"),
        ("{1a:<f4}", "expected a field name, in quotes when it begins with a digit, found `1a`"),
        ("{é:<f4}", "at byte 1 of the text: expected a field name, in quotes unless it is an identifier"),
        ("{\"\":<f4}", "expected a field name of one or more characters"),
        ("{\"a\\n\":<f4}", "at byte 3 of the text: expected `\\\"` or `\\\\`, the only escapes"),
        ("{\"a:<f4}", "at byte 1 of the text: expected a closing quote"),
        ("{a:<f4,a:<f4}", "expected each field name once, found \"a\" twice"),
        ("{a:<f4,b@3:<f4}", "expected field \"b\" at offset 4 or later, found offset 3"),
        ("{a:<f4;3}", "expected a struct of at least 4 bytes"),
        ("{a:<f4 encoding=\"x\"}", "expected the attribute unit, once"),
        ("<f4 unit=\"a\" unit=\"b\"", "expected the attribute unit or encoding, each once, found `unit`"),
        ("<f4 colour=\"a\"", "expected the attribute unit or encoding, each once, found `colour`"),
        ("<f4 unit=", "at byte 9 of the text: expected a text in quotes, found the end"),
        ("<f4 unit=\"a\tb\"", "expected a unit of one or more characters and no control characters"),
        ("<f4 !", "at byte 4 of the text: expected the end, found `!`"),
        ("[3][4]<f4", "at byte 3"),
    ];
    for (text, message) in golden {
        let found = refusal(text);
        assert!(found.contains(message), "{text}\nexpected {message}\nfound    {found}");
    }
}

fn nested(levels: usize) -> String {
    format!("{}<f4{}", "{a:".repeat(levels), "}".repeat(levels))
}

#[test]
fn structs_nest_up_to_the_limit() {
    assert_eq!(parsed(&nested(MAX_NESTING)).to_string(), nested(MAX_NESTING));
    assert!(refusal(&nested(MAX_NESTING + 1)).contains("at most 16 structs in each other, found 17"));
    assert!(refusal(&"{a:".repeat(600)).contains("found 17"));
    let deepest = parsed(&nested(MAX_NESTING)).dtype().clone();
    let deeper = Structure::packed([("a", deepest)]);
    assert_eq!(deeper, Err(SchemaError::TooNested { found: MAX_NESTING + 1 }));
}

#[test]
fn texts_are_bounded_when_parsed_and_when_constructed() {
    let name = "n".repeat(MAX_SCHEMA_TEXT - "{:<f4}".len());
    let longest = Structure::packed([(name.as_str(), Primitive::F32)]).unwrap();
    assert_eq!(Schema::new(longest.clone()).to_string().len(), MAX_SCHEMA_TEXT);
    assert_eq!(parsed(&longest.to_string()), Schema::new(longest.clone()));

    let too_long = Err(SchemaError::TextTooLong { found: MAX_SCHEMA_TEXT + 1 });
    assert_eq!(Structure::packed([(format!("{name}n").as_str(), Primitive::F32)]).map(Schema::new), too_long);
    assert_eq!(" ".repeat(MAX_SCHEMA_TEXT + 1).parse::<Schema>(), too_long);
    assert_eq!(Schema::from_struct_format(&" ".repeat(MAX_SCHEMA_TEXT + 1)), too_long);
    assert!(matches!(Schema::new(longest.clone()).with_shape(&[2]), Err(SchemaError::TextTooLong { .. })));
    assert!(matches!(Schema::new(longest.clone()).with_unit("m"), Err(SchemaError::TextTooLong { .. })));
    assert!(matches!(Schema::new(longest).with_encoding("m"), Err(SchemaError::TextTooLong { .. })));
}

#[test]
fn sizes_are_bounded_without_overflow() {
    assert_eq!(parsed("[70368744177664]|u1").size(), MAX_BODY_SIZE);
    assert_eq!(parsed("[65536,65536,2048]<f8").size(), MAX_BODY_SIZE);
    for text in [
        "[70368744177665]|u1",
        "[9223372036854775807,9223372036854775807]<f8",
        "[4294967296,4294967296,2]|u1",
        "{a:[70368744177664]|u1,b:|u1}",
        "{a@9223372036854775807:|u1}",
        "{a@18446744073709551615:|u1}",
        "{a:|u1;9223372036854775807}",
        "{a:[70368744177664]|u1,b:[70368744177664]|u1,c:[70368744177664]|u1}",
    ] {
        assert!(refusal(text).contains("at most 70368744177664 bytes"), "{text}: {}", refusal(text));
    }
    let huge = Structure::at_offsets([(usize::MAX, ("a", "|u1"))], 8);
    assert!(matches!(huge, Err(SchemaError::TooLarge { .. })));
    let flat = vec![1; MAX_DIMENSIONS];
    assert_eq!(Schema::of::<u8>().with_shape(&flat).unwrap().item_count(), 1);
    let too_many = Schema::of::<u8>().with_shape(&[&flat[..], &[1]].concat());
    assert_eq!(too_many, Err(SchemaError::TooManyDimensions { found: MAX_DIMENSIONS + 1 }));
}

#[test]
fn c_layout_aligns_nested_structs() {
    let inner = Structure::c_layout([("a", "|u1"), ("b", "<f8")]).unwrap();
    assert_eq!((inner.size(), inner.align()), (16, 8));
    let outer = Structure::c_layout([
        Field::new("flag", Primitive::Bool).unwrap(),
        Field::new("inner", inner).unwrap().with_shape(&[2]).unwrap(),
        Field::new("tail", Primitive::U16).unwrap(),
    ])
    .unwrap();
    assert_eq!(outer.to_string(), "{flag:|b1,inner@8:[2]{a:|u1,b@8:<f8},tail:<u2;48}");
    let packed = Structure::packed([("a", "|u1"), ("b", "<f8")]).unwrap();
    assert_eq!((packed.size(), packed.align()), (9, 1));
}

#[test]
fn struct_formats_that_have_no_schema_say_why() {
    let golden = [
        ("", "expected a struct of at least 1"),
        ("0d", "expected a struct of at least 1"),
        ("<Bp", "at byte 2 of the text: expected `s` in place of a Pascal string"),
        ("<P", "at byte 1 of the text: expected native mode"),
        ("<n", "expected native mode"),
        ("B <H", "at byte 2 of the text: expected the byte order as the first character, found `<`"),
        ("3 h", "found ` `"),
        ("h3", "at byte 1 of the text: expected a code after the count, found the end"),
        ("z", "expected one of the codes xcbB?hHiIlLqQnNefdsP, found `z`"),
        ("é", "found `é`"),
        ("99999999999999999999x", "expected a count of up to 19 digits"),
        ("18446744073709551615x", "expected a struct of at most"),
        ("B18446744073709551615x", "expected a struct of at most"),
        ("9223372036854775807d", "expected a body of at most"),
    ];
    for (format, message) in golden {
        let found = Schema::from_struct_format(format).unwrap_err().to_string();
        assert!(found.contains(message), "{format}\nexpected {message}\nfound    {found}");
    }
}

#[test]
fn struct_formats_become_schemas() {
    let golden = [
        ("<d", "<f8"),
        ("d", "<f8"),
        ("!H", ">u2"),
        ("6s", "|S6"),
        ("c", "|S1"),
        ("3h", "[3]<i2"),
        ("4x", "{;4}"),
        ("<BHB", "{f0:|u1,f1:<u2,f2:|u1}"),
        (">BH2xq", "{f0:|u1,f1:>u2,f2@5:>i8}"),
        ("=lL", "{f0:<i4,f1:<u4}"),
        ("@lL", "{f0:<i8,f1:<u8}"),
        ("B 3H ? d", "{f0:|u1,f1@2:[3]<u2,f2:|b1,f3@16:<f8}"),
        ("dB0d", "{f0:<f8,f1:|u1;16}"),
        ("<dB0d", "{f0:<f8,f1:|u1}"),
        ("nNPe", "{f0:<i8,f1:<u8,f2:<u8,f3:<f2}"),
    ];
    for (format, text) in golden {
        assert_eq!(Schema::from_struct_format(format).unwrap().to_string(), text, "{format}");
    }
}

fn encoded(text: &str, datum: &Datum) -> Result<Vec<u8>, String> {
    parsed(text).encode(datum).map_err(|error| error.to_string())
}

#[test]
fn bytes_follow_the_byte_order() {
    assert_eq!(encoded("<u4", &Datum::Uint(0x0102_0304)).unwrap(), [4, 3, 2, 1]);
    assert_eq!(encoded(">u4", &Datum::Uint(0x0102_0304)).unwrap(), [1, 2, 3, 4]);
    assert_eq!(encoded(">i2", &Datum::Int(-2)).unwrap(), [0xff, 0xfe]);
    assert_eq!(parsed(">i2").decode(&[0xff, 0xfe]), Ok(Datum::Int(-2)));
    assert_eq!(parsed(">f8").decode(&1.5_f64.to_be_bytes()), Ok(Datum::Float(1.5)));
    assert_eq!(parsed("<f2").decode(&[0x00, 0x3e]), Ok(Datum::Single(1.5)));
}

#[test]
fn numbers_go_in_when_they_keep_their_value() {
    let accepted: &[(&str, Datum, &[u8])] = &[
        ("|u1", Datum::Int(255), &[255]),
        ("|i1", Datum::Uint(127), &[127]),
        ("|i1", Datum::Float(-128.0), &[0x80]),
        ("<u2", Datum::Single(3.0), &[3, 0]),
        ("|b1", Datum::Bool(true), &[1]),
        ("|b1", Datum::Int(0), &[0]),
        ("<f2", Datum::Int(2048), &[0x00, 0x68]),
        ("<f2", Datum::Float(65519.99999), &[0xff, 0x7b]),
        // Just above the middle of two halves; rounding to single first would take the lower one.
        ("<f2", Datum::Float(1.0 + 2_f64.powi(-11) + 2_f64.powi(-40)), &[0x01, 0x3c]),
        ("<f4", Datum::Float(0.1), &[0xcd, 0xcc, 0xcc, 0x3d]),
        ("<f4", Datum::Uint(1 << 63), &[0, 0, 0, 0x5f]),
        ("<f4", Datum::Float(f64::INFINITY), &[0, 0, 0x80, 0x7f]),
        ("|S4", Datum::Bytes(b"ab".to_vec()), b"ab\0\0"),
    ];
    for (text, datum, bytes) in accepted {
        assert_eq!(encoded(text, datum).as_deref(), Ok(*bytes), "{text} {datum}");
    }
    let refused: &[(&str, Datum, &str)] = &[
        ("|u1", Datum::Int(256), "expected a whole number from 0 to 255, found 256"),
        ("|u1", Datum::Int(-1), "expected a whole number from 0 to 255, found -1"),
        (
            "<i8",
            Datum::Uint(1 << 63),
            "from -9223372036854775808 to 9223372036854775807, found 9223372036854775808",
        ),
        ("<u8", Datum::Float(1.8446744073709552e19), "from 0 to 18446744073709551615"),
        ("<i4", Datum::Float(1.5), "expected a whole number from -2147483648 to 2147483647, found 1.5"),
        ("<i4", Datum::Float(f64::NAN), "found NaN"),
        ("<i4", Datum::Bool(true), "found true"),
        ("|b1", Datum::Int(2), "expected true, false, 1 or 0, found 2"),
        ("<f2", Datum::Int(2049), "expected a whole number that f16 holds exactly, found 2049"),
        ("<f4", Datum::Uint(u64::MAX), "expected a whole number that f32 holds exactly"),
        ("<f8", Datum::Int(i64::MAX), "expected a whole number that f64 holds exactly"),
        ("<f2", Datum::Float(65520.0), "expected a number from -65504 to 65504, found 65520.0"),
        ("<f4", Datum::Float(1e39), "expected a number from -3.4028235e38 to 3.4028235e38, found 1e39"),
        ("<f8", Datum::Bytes(vec![0; 8]), "found 8 bytes"),
        ("|S4", Datum::Bytes(vec![0; 5]), "expected up to 4 bytes, found 5 bytes"),
        ("[2]|u1", Datum::Array(vec![Datum::Uint(1)]), "expected an array of 2, found an array of 1"),
    ];
    for (text, datum, message) in refused {
        let found = encoded(text, datum).unwrap_err();
        assert!(found.contains(message), "{text}: expected {message}, found {found}");
    }
}

#[test]
fn a_refused_value_says_where_it_lies() {
    let pose = |x| Datum::Struct(vec![("x".to_owned(), Datum::Array(vec![Datum::Int(1), Datum::Int(x)]))]);
    let body = |x| Datum::Array(vec![Datum::Struct(vec![("pose".to_owned(), pose(x))])]);
    let text = "[1]{pose:{x:[2]|u1}}";
    assert_eq!(encoded(text, &body(2)).unwrap(), [1, 2]);
    assert_eq!(
        encoded(text, &body(300)).unwrap_err(),
        "in [0].pose.x[1]: expected a whole number from 0 to 255, found 300"
    );
    let misnamed = Datum::Struct(vec![("y".to_owned(), Datum::Int(1))]);
    assert_eq!(
        encoded("{x:|u1}", &misnamed).unwrap_err(),
        "expected a field named \"x\", found a struct without it"
    );
}

#[test]
fn fields_come_in_any_order_and_padding_is_zero() {
    let value = Datum::Struct(vec![("b".to_owned(), Datum::Int(2)), ("a".to_owned(), Datum::Int(1))]);
    assert_eq!(encoded("{a:|u1,b@2:|u1;4}", &value).unwrap(), [1, 0, 2, 0]);
    let mut stale = [0xff; 4];
    parsed("{a:|u1,b@2:|u1;4}").dtype().encode(&value, &mut stale).unwrap();
    assert_eq!(stale, [1, 0, 2, 0]);
    parsed("|S4").dtype().encode(&Datum::Bytes(b"a".to_vec()), &mut stale).unwrap();
    assert_eq!(&stale, b"a\0\0\0");
}

#[test]
fn wrong_sizes_are_refused() {
    let schema = parsed("[2]<f4");
    assert_eq!(schema.decode(&[0; 7]), Err(SchemaError::BodySize { expected: 8, found: 7 }));
    let dtype: DType = "<f4".parse().unwrap();
    assert_eq!(dtype.decode(&[0; 8]), Err(SchemaError::BodySize { expected: 4, found: 8 }));
    assert_eq!(
        dtype.encode(&Datum::Int(0), &mut [0; 3]),
        Err(SchemaError::BodySize { expected: 4, found: 3 })
    );
}

#[test]
fn values_show_as_one_line() {
    let golden = [
        (Datum::from(0.1_f32), "0.1"),
        (Datum::from(0.1_f64), "0.1"),
        (Datum::from(1.0_f64), "1.0"),
        (Datum::from(1e300_f64), "1e300"),
        (Datum::from(f64::NAN), "NaN"),
        (Datum::from(i64::MIN), "-9223372036854775808"),
        (Datum::from(u64::MAX), "18446744073709551615"),
        (Datum::Bytes(b"it's\n\0\xff".to_vec()), r"b'it\'s\n\x00\xff'"),
        (Datum::Array(vec![Datum::from(true), Datum::from(false)]), "[true, false]"),
        (
            Datum::Struct(vec![("a b".to_owned(), 1_u8.into()), ("c".to_owned(), 2_u8.into())]),
            "{\"a b\": 1, c: 2}",
        ),
    ];
    for (datum, text) in golden {
        assert_eq!(datum.to_string(), text);
    }
    let long = Datum::Array(vec![Datum::Bytes(vec![b'a'; 9]); 3]);
    assert_eq!(long.elided(2).to_string(), "[b'aa'… 7 more, b'aa'… 7 more, … 1 more]");
    assert_eq!(Datum::Array(vec![1_u8.into()]).elided(0).to_string(), "[… 1 more]");
}

fn assert_bits<T: Element>(value: T, bits: u64) {
    assert_eq!(value.to_bits(), bits);
    assert_eq!(T::from_bits(bits), value);
    assert_eq!(T::PRIMITIVE.bits_of(&Datum::from(value)), Ok(bits));
    let body = Schema::of::<T>().encode(&Datum::from(value)).unwrap();
    assert_eq!(body, &bits.to_le_bytes()[..T::PRIMITIVE.size()]);
}

#[test]
fn elements_are_zero_extended() {
    assert_bits(true, 1);
    assert_bits(false, 0);
    assert_bits(-1_i8, 0xff);
    assert_bits(255_u8, 0xff);
    assert_bits(i16::MIN, 0x8000);
    assert_bits(u16::MAX, 0xffff);
    assert_bits(-2_i32, 0xffff_fffe);
    assert_bits(u32::MAX, 0xffff_ffff);
    assert_bits(-1_i64, u64::MAX);
    assert_bits(u64::MAX, u64::MAX);
    assert_bits(-1.0_f32, 0xbf80_0000);
    assert_bits(-1.0_f64, 0xbff0_0000_0000_0000);
    assert!(<bool as Element>::from_bits(1 << 40));
}

#[test]
fn all_sixteen_bit_patterns_go_through_a_datum_and_back() {
    for primitive in [Primitive::I8, Primitive::U8, Primitive::I16, Primitive::U16, Primitive::F16] {
        let patterns = 0..1_u64 << (8 * primitive.size());
        for bits in patterns {
            let datum = primitive.datum_of(bits);
            let is_nan = datum.as_f64().is_some_and(f64::is_nan);
            let back = primitive.bits_of(&datum).unwrap();
            let same = if is_nan {
                primitive.datum_of(back).as_f64().is_some_and(f64::is_nan)
            } else {
                back == bits
            };
            assert!(same, "{} {bits:#x}", primitive.name());
        }
    }
}

/// What a fuzzer would find first: texts of the grammar's own characters.
fn nearly_schema() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "x",
        "y",
        ":",
        ",",
        ";",
        "@",
        "<",
        ">",
        "|",
        "=",
        "f4",
        "u1",
        "S6",
        "0",
        "7",
        "99999999999",
        " ",
        "\"",
        "\\",
        "unit",
        "encoding",
        "float32",
        "é",
    ]);
    prop::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

fn check_parse(text: &str) -> Result<(), TestCaseError> {
    if let Ok(schema) = text.parse::<Schema>() {
        let canonical = schema.to_string();
        prop_assert!(canonical.len() <= MAX_SCHEMA_TEXT);
        prop_assert!((1..=MAX_BODY_SIZE).contains(&schema.size()));
        prop_assert_eq!(canonical.parse(), Ok(schema));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn text_round_trips(schema in any_schema()) {
        let text = schema.to_string();
        let back: Schema = text.parse().map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        prop_assert_eq!(back.to_string(), text);
        prop_assert_eq!(back, schema);
    }

    #[test]
    fn damaged_texts_are_refused_or_still_sound(
        schema in any_schema(),
        place in any::<prop::sample::Index>(),
        with in prop::option::of(nearly_schema()),
    ) {
        let mut characters: Vec<String> = schema.to_string().chars().map(String::from).collect();
        let place = place.index(characters.len());
        characters[place] = with.unwrap_or_default();
        check_parse(&characters.concat())?;
    }

    #[test]
    fn any_text_is_refused_or_sound(text in prop_oneof![any::<String>(), nearly_schema()]) {
        check_parse(&text)?;
        if let Ok(schema) = Schema::from_struct_format(&text) {
            check_parse(&schema.to_string())?;
        }
    }

    #[test]
    fn any_struct_format_is_refused_or_sound(format in "[<>!=@]?([0-9]{0,3}[xcbB?hHiIlLqQnNefdspPz ]){0,12}") {
        if let Ok(schema) = Schema::from_struct_format(&format) {
            check_parse(&schema.to_string())?;
        }
    }

    #[test]
    fn any_body_decodes_and_its_value_encodes_to_the_same_value((schema, body) in any_body()) {
        let value = schema.decode(&body).unwrap();
        let encoded = schema.encode(&value).unwrap();
        // By text: NaN is not equal to itself.
        prop_assert_eq!(schema.decode(&encoded).unwrap().to_string(), value.to_string());
        prop_assert_eq!(schema.encode(&schema.decode(&encoded).unwrap()).unwrap(), encoded);
    }
}
