//! stopgap on moto.

fn main() {}
