//! Tests of the embedded store beyond the conformance suite.
