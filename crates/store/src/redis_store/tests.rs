//! Tests against real servers, each its own.

mod counted;
mod described;
mod differential;
mod fixtures;
mod links;
mod lists;
mod opening;

mod suite {
    //! The conformance suite.
    crate::conformance_tests!(crate::redis_store::tests::fixtures::fresh);
}
