//! stopgap on moto.
