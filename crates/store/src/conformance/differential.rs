//! Two stores, the same random operations, and everything they show compared.
