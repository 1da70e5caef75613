//! The one table.

use serde_json::{Value, json};
use stopgap_core::ports::{Expect, FaultKind, Item, Key, Table, Write, Written, all_pages};

use crate::world::kind;
use crate::{World, contracts};

contracts! {
    what_is_put_is_read_back_whole,
    a_key_without_an_item_is_none,
    a_put_that_expects_nothing_there_is_refused_when_there_is_an_item,
    a_put_that_expects_a_version_is_refused_in_any_other,
    the_version_rises_by_one_with_each_write_on_whatever_condition,
    an_item_that_was_deleted_begins_again_with_version_one,
    a_delete_is_refused_when_its_condition_does_not_hold,
    deleting_what_is_not_there_is_done_when_anything_is_expected,
    a_transaction_with_one_refused_write_writes_nothing,
    a_transaction_writes_all_it_has_up_to_a_hundred,
    a_transaction_that_is_too_large_is_rejected_and_writes_nothing,
    a_transaction_without_a_write_is_rejected,
    a_transaction_that_writes_an_item_twice_is_rejected,
    a_partition_is_read_in_the_order_of_the_bytes_of_its_sort_keys,
    a_large_partition_comes_in_pages_with_every_item_once,
    a_page_goes_on_where_the_one_before_ended_even_if_that_item_is_gone,
}

fn key(sort: &str) -> Key {
    in_partition("things", sort)
}

fn in_partition(partition: &str, sort: &str) -> Key {
    Key { partition: partition.to_owned(), sort: sort.to_owned() }
}

fn put(key: Key, expect: Expect, body: Value) -> Write {
    Write::Put { key, expect, body, expires_at: None }
}

async fn write_one(table: &dyn Table, write: Write) -> Written {
    table.write(vec![write]).await.unwrap()
}

async fn read(table: &dyn Table, key: &Key) -> Option<(u64, Value)> {
    let item = table.get(key).await.unwrap()?;
    assert_eq!(&item.key, key);
    Some((item.version, item.body))
}

async fn what_is_put_is_read_back_whole(world: &dyn World) {
    let table = world.ports().table;
    let body = json!({ "text": "Größe \u{1f980} \"quoted\"\n", "numbers": [0, -1, 1.5, 9_007_199_254_740_993_u64], "empty": {}, "none": null });
    let expires_at = Some("2100-01-01T00:00:00Z".parse().unwrap());
    let write = Write::Put { key: key("a"), expect: Expect::Absent, body: body.clone(), expires_at };
    assert_eq!(write_one(table, write).await, Written::Done);
    assert_eq!(read(table, &key("a")).await, Some((1, body.clone())));
    let page = table.query("things", None).await.unwrap();
    assert_eq!(page.items, [Item { key: key("a"), version: 1, body }]);
    assert_eq!(page.next, None);
}

async fn a_key_without_an_item_is_none(world: &dyn World) {
    let table = world.ports().table;
    write_one(table, put(key("a"), Expect::Any, json!(1))).await;
    assert_eq!(read(table, &key("b")).await, None);
    assert_eq!(read(table, &in_partition("others", "a")).await, None);
    assert_eq!(table.query("others", None).await.unwrap().items, []);
}

async fn a_put_that_expects_nothing_there_is_refused_when_there_is_an_item(world: &dyn World) {
    let table = world.ports().table;
    assert_eq!(write_one(table, put(key("a"), Expect::Absent, json!("first"))).await, Written::Done);
    assert_eq!(write_one(table, put(key("a"), Expect::Absent, json!("second"))).await, Written::Refused);
    assert_eq!(read(table, &key("a")).await, Some((1, json!("first"))));
}

async fn a_put_that_expects_a_version_is_refused_in_any_other(world: &dyn World) {
    let table = world.ports().table;
    assert_eq!(write_one(table, put(key("a"), Expect::Version(1), json!("none"))).await, Written::Refused);
    for body in ["first", "second"] {
        write_one(table, put(key("a"), Expect::Any, json!(body))).await;
    }
    for stale in [0, 1, 3] {
        let write = put(key("a"), Expect::Version(stale), json!("other"));
        assert_eq!(write_one(table, write).await, Written::Refused, "{stale}");
    }
    assert_eq!(read(table, &key("a")).await, Some((2, json!("second"))));
    assert_eq!(write_one(table, put(key("a"), Expect::Version(2), json!("third"))).await, Written::Done);
    assert_eq!(read(table, &key("a")).await, Some((3, json!("third"))));
}

async fn the_version_rises_by_one_with_each_write_on_whatever_condition(world: &dyn World) {
    let table = world.ports().table;
    let conditions = [Expect::Absent, Expect::Any, Expect::Version(2), Expect::Any, Expect::Any];
    for (expect, version) in conditions.into_iter().zip(1..) {
        assert_eq!(write_one(table, put(key("a"), expect, json!(version))).await, Written::Done, "{version}");
        assert_eq!(read(table, &key("a")).await, Some((version, json!(version))));
    }
}

async fn an_item_that_was_deleted_begins_again_with_version_one(world: &dyn World) {
    let table = world.ports().table;
    for _ in 0..2 {
        write_one(table, put(key("a"), Expect::Any, json!(0))).await;
    }
    write_one(table, Write::Delete { key: key("a"), expect: Expect::Any }).await;
    assert_eq!(write_one(table, put(key("a"), Expect::Absent, json!(1))).await, Written::Done);
    assert_eq!(read(table, &key("a")).await, Some((1, json!(1))));
}

async fn a_delete_is_refused_when_its_condition_does_not_hold(world: &dyn World) {
    let table = world.ports().table;
    let delete = |expect| Write::Delete { key: key("a"), expect };
    assert_eq!(write_one(table, delete(Expect::Version(1))).await, Written::Refused);
    write_one(table, put(key("a"), Expect::Any, json!(0))).await;
    for expect in [Expect::Absent, Expect::Version(0), Expect::Version(2)] {
        assert_eq!(write_one(table, delete(expect)).await, Written::Refused, "{expect:?}");
        assert!(read(table, &key("a")).await.is_some(), "{expect:?}");
    }
    assert_eq!(write_one(table, delete(Expect::Version(1))).await, Written::Done);
    assert_eq!(read(table, &key("a")).await, None);
}

async fn deleting_what_is_not_there_is_done_when_anything_is_expected(world: &dyn World) {
    let table = world.ports().table;
    for expect in [Expect::Any, Expect::Absent] {
        assert_eq!(write_one(table, Write::Delete { key: key("a"), expect }).await, Written::Done);
    }
}

async fn a_transaction_with_one_refused_write_writes_nothing(world: &dyn World) {
    let table = world.ports().table;
    write_one(table, put(key("there"), Expect::Absent, json!("first"))).await;
    let writes = vec![
        put(key("new"), Expect::Absent, json!("new")),
        put(key("there"), Expect::Version(7), json!("second")),
        Write::Delete { key: key("there too"), expect: Expect::Any },
    ];
    write_one(table, put(key("there too"), Expect::Absent, json!("stays"))).await;
    assert_eq!(table.write(writes).await, Ok(Written::Refused));
    assert_eq!(read(table, &key("new")).await, None);
    assert_eq!(read(table, &key("there")).await, Some((1, json!("first"))));
    assert_eq!(read(table, &key("there too")).await, Some((1, json!("stays"))));
}

async fn a_transaction_writes_all_it_has_up_to_a_hundred(world: &dyn World) {
    let table = world.ports().table;
    let puts = (0..100).map(|n| put(key(&format!("{n:03}")), Expect::Absent, json!(n)));
    assert_eq!(table.write(puts.collect()).await, Ok(Written::Done));
    assert_eq!(table.query("things", None).await.unwrap().items.len(), 100);
    let mixed = vec![
        Write::Delete { key: key("000"), expect: Expect::Version(1) },
        put(key("001"), Expect::Version(1), json!("changed")),
        put(in_partition("others", "a"), Expect::Absent, json!("new")),
    ];
    assert_eq!(table.write(mixed).await, Ok(Written::Done));
    assert_eq!(read(table, &key("000")).await, None);
    assert_eq!(read(table, &key("001")).await, Some((2, json!("changed"))));
    assert_eq!(read(table, &in_partition("others", "a")).await, Some((1, json!("new"))));
}

async fn a_transaction_that_is_too_large_is_rejected_and_writes_nothing(world: &dyn World) {
    let table = world.ports().table;
    let puts = (0..101).map(|n| put(key(&format!("{n:03}")), Expect::Any, json!(n)));
    assert_eq!(kind(table.write(puts.collect()).await), Err(FaultKind::Rejected));
    assert_eq!(table.query("things", None).await.unwrap().items, []);
}

async fn a_transaction_without_a_write_is_rejected(world: &dyn World) {
    assert_eq!(kind(world.ports().table.write(Vec::new()).await), Err(FaultKind::Rejected));
}

async fn a_transaction_that_writes_an_item_twice_is_rejected(world: &dyn World) {
    let table = world.ports().table;
    let twice =
        vec![put(key("a"), Expect::Any, json!(1)), Write::Delete { key: key("a"), expect: Expect::Any }];
    assert_eq!(kind(table.write(twice).await), Err(FaultKind::Rejected));
    assert_eq!(read(table, &key("a")).await, None);
}

async fn a_partition_is_read_in_the_order_of_the_bytes_of_its_sort_keys(world: &dyn World) {
    let table = world.ports().table;
    // As bytes of UTF-8: neither as numbers, nor as people sort, nor as UTF-16 does.
    let ordered = ["#", "10", "9", "Z", "a", "ab", "b", "ä", "\u{ff5e}", "\u{1f980}"];
    for sort in ["b", "9", "\u{1f980}", "10", "a", "\u{ff5e}", "Z", "ä", "#", "ab"] {
        write_one(table, put(key(sort), Expect::Absent, json!(sort))).await;
    }
    let items = table.query("things", None).await.unwrap().items;
    assert_eq!(items.iter().map(|item| item.key.sort.as_str()).collect::<Vec<_>>(), ordered);
}

/// More items than a page has.
async fn fill(world: &dyn World) -> Vec<String> {
    let (table, (count, size)) = (world.ports().table, world.more_than_a_page());
    let keys: Vec<String> = (0..count).map(|n| format!("{n:05}")).collect();
    let filling = "x".repeat(size);
    for some in keys.chunks(100) {
        let puts = some.iter().map(|sort| put(key(sort), Expect::Any, json!(filling)));
        assert_eq!(table.write(puts.collect()).await, Ok(Written::Done));
    }
    keys
}

async fn a_large_partition_comes_in_pages_with_every_item_once(world: &dyn World) {
    let table = world.ports().table;
    let keys = fill(world).await;
    write_one(table, put(in_partition("thingy", "a"), Expect::Absent, json!("another's"))).await;
    let first = table.query("things", None).await.unwrap();
    assert!(first.next.is_some() && first.items.len() < keys.len(), "{} items at once", first.items.len());
    let all = all_pages(|page| table.query("things", page)).await.unwrap();
    assert_eq!(all.into_iter().map(|item| item.key.sort).collect::<Vec<_>>(), keys);
}

async fn a_page_goes_on_where_the_one_before_ended_even_if_that_item_is_gone(world: &dyn World) {
    let table = world.ports().table;
    let keys = fill(world).await;
    let first = table.query("things", None).await.unwrap();
    let seen = first.items.len();
    for item in [&first.items[0], &first.items[seen - 1]] {
        write_one(table, Write::Delete { key: item.key.clone(), expect: Expect::Any }).await;
    }
    let second = table.query("things", first.next).await.unwrap();
    assert_eq!(second.items.first().map(|item| item.key.sort.as_str()), keys.get(seen).map(String::as_str));
}
