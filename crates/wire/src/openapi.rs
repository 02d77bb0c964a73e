//! Schemas that derives cannot say: an HTTP body holds an operation's parameters and who acts, and
//! takes the invitation from the path.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::body::HttpBody;

impl<T: ToSchema> PartialSchema for HttpBody<T> {
    fn schema() -> RefOr<Schema> {
        let mut schema = T::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.properties.remove("invitation_id");
            object.required.retain(|name| name != "invitation_id");
            let acting_for = text("The user for whom a server acts; only with a token of the role `server`.");
            object.properties.insert("as".into(), acting_for.into());
            object.properties.insert("device_id".into(), text("The device that acts.").into());
        }
        schema
    }
}

impl<T: ToSchema> ToSchema for HttpBody<T> {
    fn name() -> Cow<'static, str> {
        let name = T::name();
        Cow::Owned(format!("{}Body", name.strip_suffix("Params").unwrap_or(&name)))
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

fn text(description: &str) -> Object {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description)).build()
}
