//! JSONPath as AWS evaluates it.

use serde_json::{Value, json};
use stopgap_sim::asl::paths::{Path, ReferencePath, Scope};

fn get(path: &str, data: &Value) -> Result<Value, String> {
    let context = json!({"Execution": {"Name": "run"}});
    let path = Path::parse(path).map_err(|error| format!("syntax: {error}"))?;
    path.get(Scope { data, context: &context }).map_err(|error| error.to_string())
}

fn library() -> Value {
    json!({"movies": [
        {"genre": "crime", "year": 1994, "stars": ["a", "b"]},
        {"genre": "comedy", "year": 2009},
        {"genre": "crime", "year": 2010}
    ], "odd-key": 1, "with space": {"x": 2}, "dotted.key": 3, "naïve": 4})
}

#[test]
fn a_definite_path_gives_the_value_itself() {
    let data = library();
    assert_eq!(get("$", &data).unwrap(), data);
    assert_eq!(get("$.movies[1].year", &data).unwrap(), json!(2009));
    assert_eq!(get("$.movies[-1].year", &data).unwrap(), json!(2010));
    assert_eq!(get("$['movies'][0]['genre']", &data).unwrap(), json!("crime"));
    assert_eq!(get("$.odd-key", &data).unwrap(), json!(1));
    assert_eq!(get("$['with space'].x", &data).unwrap(), json!(2));
    assert_eq!(get("$[\"dotted.key\"]", &data).unwrap(), json!(3));
    assert_eq!(get("$.naïve", &data).unwrap(), json!(4));
    assert_eq!(get("$$.Execution.Name", &data).unwrap(), json!("run"));
}

#[test]
fn an_indefinite_path_gives_an_array_even_of_one_or_none() {
    let data = library();
    assert_eq!(get("$.movies[*].year", &data).unwrap(), json!([1994, 2009, 2010]));
    assert_eq!(get("$.movies[?(@.genre == 'comedy')].year", &data).unwrap(), json!([2009]));
    assert_eq!(get("$.movies[?(@.year > 2050)]", &data).unwrap(), json!([]));
    assert_eq!(get("$.movies[0:2].year", &data).unwrap(), json!([1994, 2009]));
    assert_eq!(get("$.movies[0,2].year", &data).unwrap(), json!([1994, 2010]));
    assert_eq!(get("$..stars", &data).unwrap(), json!([["a", "b"]]));
    assert_eq!(get("$..stars[*]", &data).unwrap(), json!(["a", "b"]));
    assert_eq!(get("$.movies[*].stars", &data).unwrap(), json!([["a", "b"]]));
    assert_eq!(get("$.odd-key[*]", &data).unwrap(), json!([]));
}

#[test]
fn a_path_that_leads_nowhere_is_an_error_in_the_words_of_jayway() {
    let data = library();
    assert_eq!(get("$.nope", &data).unwrap_err(), "No results for path: $['nope']");
    assert_eq!(get("$.nope.deep", &data).unwrap_err(), "Missing property in path $['nope']");
    assert_eq!(get("$.movies[9]", &data).unwrap_err(), "No results for path: $['movies'][9]");
    assert_eq!(get("$.nope[*]", &data).unwrap_err(), "Missing property in path $['nope']");
    assert!(
        get("$.odd-key.x", &data).unwrap_err().starts_with("Expected to find an object with property ['x']")
    );
}

#[test]
fn what_is_not_a_path_is_refused() {
    for text in [
        "",
        "a",
        "$.",
        "$..",
        "$a",
        "$.a[",
        "$.a['b",
        "$.a.length().b",
        "$.a.upper()",
        "$.a[(@.length-1)]",
        "$.a[?(]",
        "$.a b",
    ] {
        assert!(Path::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_function_may_end_a_path() {
    let data = json!({"a": [3, 1, 2], "o": {"x": 1}, "s": "text"});
    for (path, value) in [
        ("$.a.length()", json!(3)),
        ("$.o.length()", json!(1)),
        ("$.o.keys()", json!(["x"])),
        ("$.a[*].sum()", json!(6.0)),
        ("$.a.min()", json!(1.0)),
        ("$.a.max()", json!(3.0)),
        ("$.a.avg()", json!(2.0)),
        ("$.a.first()", json!(3)),
        ("$.a.last()", json!(2)),
        ("$.a[?(@ > 1)].length()", json!(2)),
        ("$.a.[?(@ > 1)].length()", json!(2)),
        ("$.s.length()", json!(null)),
        ("$['o', 's', 'nope']", json!({"o": {"x": 1}, "s": "text"})),
        ("$.*['x', 'y']", json!([null, {"x": 1}, null])),
    ] {
        assert_eq!(get(path, &data), Ok(value), "{path}");
    }
    assert!(ReferencePath::parse("$.a.length()").is_err());
}

#[test]
fn filters_know_the_operators_of_jayway() {
    let data = json!({"a": [{"t": "in x", "n": 1}, {"t": "book", "n": 2}], "wanted": "book"});
    for (path, count) in [
        ("$.a[?(@.t in ['book', 'pen'])]", 1),
        ("$.a[?(@.n nin [1])]", 1),
        ("$.a[?(@.n in [])]", 0),
        ("$.a[?(@.t == 'in x' || @.n in [2])]", 2),
        ("$.a[?(@.t == $.wanted)]", 1),
        ("$.a[?(@.t =~ /bo+k/)]", 1),
        ("$.a[?(@.t =~ /BOOK/i && @.n > 1)]", 1),
        ("$.a[?(@.t =~ /bo/)]", 0),
    ] {
        assert_eq!(get(path, &data).unwrap().as_array().unwrap().len(), count, "{path}");
    }
    assert!(Path::parse("$.a[?(@.t =~ bo)]").is_err());
}

#[test]
fn a_reference_path_names_exactly_one_place_in_the_data() {
    for text in ["$", "$.a", "$.a[0].b", "$['a b']"] {
        assert!(ReferencePath::parse(text).is_ok(), "{text}");
    }
    for text in ["$.a[*]", "$..a", "$.a[0:1]", "$.a[-1]", "$.a[?(@.b)]", "$$.Execution.Id", "a"] {
        assert!(ReferencePath::parse(text).is_err(), "{text}");
    }
}

#[test]
fn paths_that_would_take_the_stack_or_all_day_are_refused() {
    let nested = |depth: usize| format!("$.a[?{}@.b == 1{}]", "(".repeat(depth), ")".repeat(depth));
    assert!(Path::parse(&nested(7)).is_ok());
    assert!(Path::parse(&nested(10_000)).is_err());
    assert!(Path::parse(&format!("$.a{}", "[?@.b".repeat(10_000))).is_err());
    assert!(Path::parse(&format!("$.a[?{}@.b]", "!".repeat(900))).is_err());
    assert!(ReferencePath::parse(&format!("${}", ".a".repeat(200))).is_ok());
    assert!(ReferencePath::parse(&format!("${}", ".a".repeat(100_000))).is_err());
}
