//! The 18 intrinsic functions. The first example of each is that of AWS's documentation.

use serde_json::{Value, json};
use stopgap_sim::asl::intrinsics;

use crate::support::parameters;

fn eval(call: &str, input: Value) -> Value {
    parameters(json!({"r.$": call}), input).output()["r"].clone()
}

#[track_caller]
fn refuses(call: &str, input: Value) {
    let outcome = parameters(json!({"r.$": call}), input);
    assert_eq!(outcome.error().0, "States.IntrinsicFailure", "{call}");
    assert!(outcome.error().1.contains("States."), "{:?}", outcome.error());
}

#[test]
fn format_fills_its_braces() {
    assert_eq!(
        eval("States.Format('Hello, my name is {}.', $.name)", json!({"name": "Arnav"})),
        "Hello, my name is Arnav."
    );
    let input = json!({"n": 1, "o": {"a": [1, null]}, "t": true});
    assert_eq!(eval("States.Format('{} {} {}', $.n, $.o, $.t)", input), "1 {a=[1, null]} true");
    assert_eq!(eval(r"States.Format('\{\} {} it\'s \\', 'x')", json!({})), r"{} x it's \");
    assert_eq!(eval("States.Format('no braces')", json!({})), "no braces");
    refuses("States.Format('{} {}', 1)", json!({}));
    refuses("States.Format('{}', 1, 2)", json!({}));
    refuses("States.Format($.x, 1)", json!({"x": 1}));
}

#[test]
fn json_goes_to_text_and_back() {
    assert_eq!(eval("States.StringToJson($.t)", json!({"t": "{\"a\": [1]}"})), json!({"a": [1]}));
    assert_eq!(
        eval("States.JsonToString($.v)", json!({"v": {"name": "Foo", "year": 2020}})),
        r#"{"name":"Foo","year":2020}"#
    );
    refuses("States.StringToJson($.t)", json!({"t": "{"}));
    refuses("States.StringToJson($.t)", json!({"t": 1}));
}

#[test]
fn array_holds_its_arguments() {
    assert_eq!(eval("States.Array($.Id)", json!({"Id": 123456})), json!([123456]));
    assert_eq!(eval("States.Array()", json!({})), json!([]));
    assert_eq!(
        eval("States.Array('a', 1.5, true, null, $.x)", json!({"x": []})),
        json!(["a", 1.5, true, null, []])
    );
}

#[test]
fn array_partition_cuts_into_chunks() {
    let input = json!({"a": [1, 2, 3, 4, 5, 6, 7, 8, 9]});
    assert_eq!(eval("States.ArrayPartition($.a,4)", input.clone()), json!([[1, 2, 3, 4], [5, 6, 7, 8], [9]]));
    assert_eq!(
        eval("States.ArrayPartition($.a, 8.6)", input.clone()),
        json!([[1, 2, 3, 4, 5, 6, 7, 8], [9]])
    );
    refuses("States.ArrayPartition($.a, 0.6)", input.clone());
    refuses("States.ArrayPartition($.a, 0)", input.clone());
    refuses("States.ArrayPartition($.a, -1)", input);
    refuses("States.ArrayPartition('text', 1)", json!({}));
}

#[test]
fn array_contains_compares_json() {
    let input = json!({"a": [1, 2, {"x": 1}], "in": {"x": 1}});
    assert_eq!(eval("States.ArrayContains($.a, $.in)", input.clone()), json!(true));
    assert_eq!(eval("States.ArrayContains($.a, 5)", input), json!(false));
    refuses("States.ArrayContains(1, 1)", json!({}));
}

#[test]
fn array_range_includes_its_end() {
    assert_eq!(eval("States.ArrayRange(1, 9, 2)", json!({})), json!([1, 3, 5, 7, 9]));
    assert_eq!(eval("States.ArrayRange(5, 1, -2)", json!({})), json!([5, 3, 1]));
    assert_eq!(eval("States.ArrayRange(1, 1, 1)", json!({})), json!([1]));
    assert_eq!(eval("States.ArrayLength(States.ArrayRange(1, 1000, 1))", json!({})), json!(1000));
    refuses("States.ArrayRange(1, 1001, 1)", json!({}));
    refuses("States.ArrayRange(1, 9, 0)", json!({}));
    refuses("States.ArrayRange(-9223372036854775808, 9223372036854775807, 1)", json!({}));
}

#[test]
fn array_items_are_counted_from_zero() {
    let input = json!({"a": [1, 2, 3, 4, 5, 6, 7, 8, 9], "i": 5});
    assert_eq!(eval("States.ArrayGetItem($.a, $.i)", input.clone()), json!(6));
    assert_eq!(eval("States.ArrayLength($.a)", input.clone()), json!(9));
    refuses("States.ArrayGetItem($.a, 9)", input.clone());
    refuses("States.ArrayGetItem($.a, -1)", input);
    refuses("States.ArrayLength('abc')", json!({}));
}

#[test]
fn array_unique_keeps_the_first_of_each() {
    let input = json!({"a": [1, 2, 3, 3, 3, 3, 3, 3, 4, [], [], {"a": 1}, {"a": 1}, null, null, "1"]});
    assert_eq!(eval("States.ArrayUnique($.a)", input), json!([1, 2, 3, 4, [], {"a": 1}, null, "1"]));
}

#[test]
fn base64_goes_there_and_back() {
    assert_eq!(eval("States.Base64Encode($.d)", json!({"d": "Data to encode"})), "RGF0YSB0byBlbmNvZGU=");
    assert_eq!(eval("States.Base64Decode('RGVjb2RlZCBkYXRh')", json!({})), "Decoded data");
    assert_eq!(eval("States.Base64Decode('/w==')", json!({})), "\u{fffd}");
    refuses("States.Base64Decode('?')", json!({}));
    refuses("States.Base64Encode($.d)", json!({"d": "x".repeat(10_001)}));
}

#[test]
fn hash_knows_five_algorithms() {
    let input = json!({"d": "input data", "a": "SHA-1"});
    assert_eq!(eval("States.Hash($.d, $.a)", input), "aaff4a450a104cd177d28d18d74485e8cae074b7");
    for (algorithm, digits) in
        [("MD5", 32), ("SHA-1", 40), ("SHA-256", 64), ("SHA-384", 96), ("SHA-512", 128)]
    {
        let hash = eval(&format!("States.Hash('input data', '{algorithm}')"), json!({}));
        assert_eq!(hash.as_str().unwrap().len(), digits, "{algorithm}");
    }
    assert_eq!(eval("States.Hash('', 'MD5')", json!({})), "d41d8cd98f00b204e9800998ecf8427e");
    assert_eq!(
        eval("States.Hash('abc', 'SHA-256')", json!({})),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    refuses("States.Hash('x', 'SHA-3')", json!({}));
}

#[test]
fn json_merge_is_shallow_and_the_second_wins() {
    let input = json!({"j1": {"a": {"a1": 1, "a2": 2}, "b": 2}, "j2": {"a": {"a3": 1, "a4": 2}, "c": 3}});
    assert_eq!(
        eval("States.JsonMerge($.j1, $.j2, false)", input.clone()),
        json!({"a": {"a3": 1, "a4": 2}, "b": 2, "c": 3})
    );
    refuses("States.JsonMerge($.j1, $.j2, true)", input.clone());
    refuses("States.JsonMerge($.j1, 1, false)", input);
}

#[test]
fn math_adds_within_32_bits() {
    assert_eq!(eval("States.MathAdd($.v, $.s)", json!({"v": 111, "s": -1})), json!(110));
    for (first, second, sum) in [(1.49, 1.5, 3), (1.5, 1.51, 4), (-1.49, -1.5, -2), (-0.5, 0.5, 1)] {
        assert_eq!(eval("States.MathAdd($.a, $.b)", json!({"a": first, "b": second})), json!(sum));
    }
    refuses("States.MathAdd(2147483647, 1)", json!({}));
    refuses("States.MathAdd('1', 1)", json!({}));
}

#[test]
fn random_numbers_stay_in_range_and_follow_their_seed() {
    for _ in 0..20 {
        let number = eval("States.MathRandom(1, 10)", json!({})).as_i64().unwrap();
        assert!((1..10).contains(&number));
    }
    let seeded = || eval("States.MathRandom(1, 1000000, 7)", json!({}));
    assert_eq!(seeded(), seeded());
    refuses("States.MathRandom(5, 5)", json!({}));
}

#[test]
fn string_split_takes_each_character_and_leaves_out_what_is_empty() {
    assert_eq!(eval("States.StringSplit('1,2,3,4,5', ',')", json!({})), json!(["1", "2", "3", "4", "5"]));
    let input = json!({"t": "This.is+a,test=string", "s": ".+,="});
    assert_eq!(eval("States.StringSplit($.t, $.s)", input), json!(["This", "is", "a", "test", "string"]));
    assert_eq!(eval("States.StringSplit(', , ,', ',')", json!({})), json!([" ", " "]));
    refuses("States.StringSplit(1, ',')", json!({}));
}

#[test]
fn uuid_is_of_version_4() {
    let uuid = eval("States.UUID()", json!({}));
    let uuid = uuid.as_str().unwrap();
    assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
}

#[test]
fn calls_nest_up_to_ten_deep_and_take_paths_of_the_context() {
    let call = "States.Format('{}.{}', States.ArrayGetItem(States.StringSplit(States.ArrayGetItem(States.StringSplit(\
                $.arn, '/'), 2), '.'), 0), $$.State.Name)";
    assert_eq!(eval(call, json!({"arn": "a/b/c.d"})), "c.It");
    let nested = |depth| format!("{}1{}", "States.Array(".repeat(depth), ")".repeat(depth));
    assert!(intrinsics::parse(&nested(10)).is_ok());
    assert!(intrinsics::parse(&nested(11)).is_err());
    assert!(intrinsics::parse(&nested(100_000)).is_err());
}

#[test]
fn a_path_argument_that_leads_nowhere_is_named() {
    let outcome = parameters(json!({"r.$": "States.Array(States.Array( $.nope))"}), json!({"a": 1}));
    assert_eq!(
        outcome.error(),
        (
            "States.Runtime",
            "An error occurred while executing the state 'It' (entered at the event id #2). The function \
             'States.Array(States.Array( $.nope))' had the following error: The JsonPath argument for the field \
             '$.nope' could not be found in the input '{\"a\":1}'"
        )
    );
}

#[test]
fn what_is_not_a_call_is_refused_when_the_definition_is_read() {
    for text in [
        "States.Nope()",
        "States.Format",
        "States.Format(",
        "States.Format('a'",
        "States.Format('a) ",
        "States.UUID(1)",
        "States.Array(1,)",
        "States.Format('\\\"')",
        "States.Array(a)",
        "States.Array(\"a\")",
        "States.Array(1) x",
        "States.MathAdd(1)",
        "States.Array($.a[)",
        "States.Array({})",
        "states.UUID()",
    ] {
        assert!(intrinsics::parse(text).is_err(), "{text}");
    }
}
