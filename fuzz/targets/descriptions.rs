//! See [`stopgap_tests::invariants::descriptions`].

#![no_main]

use libfuzzer_sys::fuzz_target;
use stopgap_tests::invariants;

fuzz_target!(|bytes: &[u8]| invariants::descriptions(bytes));
