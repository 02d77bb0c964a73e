//! Schemas that derives cannot say: of texts that the rules' types parse, and of an HTTP body, which
//! holds an operation's parameters and who acts, and takes the invitation from the path.

use std::borrow::Cow;

use ringwire_signaling::limits::{DATA_BYTES, ID_BYTES, REQUEST_ID_CHARS};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::body::HttpBody;

/// At least one character, and none of Unicode's control characters.
const NO_CONTROL_CHARACTERS: &str = r"^[^\u0000-\u001f\u007f-\u009f]+$";

macro_rules! texts {
    ($($(#[doc = $doc:literal])* $name:ident = $schema:expr, $example:literal;)*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $name;

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    let text = ObjectBuilder::new()
                        .schema_type(Type::String)
                        .description(Some(concat!($($doc),*).trim_start()))
                        .examples([$example]);
                    $schema(text).into()
                }
            }

            impl ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    Cow::Borrowed(stringify!($name))
                }
            }
        )*
    };
}

texts! {
    /// An account: 1–128 bytes without control characters.
    UserId = id, "alice";
    /// One installation of an app, chosen by the app: 1–128 bytes without control characters.
    DeviceId = id, "phone-1";
    /// A group of users: 1–128 bytes without control characters.
    GroupId = id, "team-7";
    /// An invitation, as the server named it.
    InvitationId = invitation_id, "3f-0123456789abcdef0123456789abcdef";
    /// A client's name for one request, so that repeating it is harmless: 1–64 characters, none of them a control character.
    RequestId = request_id, "r-1";
    /// Opaque text, handed on byte for byte: at most 12 KiB of UTF-8.
    Data = data, "{\"room\":7}";
}

/// Characters are counted here and bytes where the id is parsed, so the bound is loose.
fn id(text: ObjectBuilder) -> Object {
    text.min_length(Some(1)).max_length(Some(ID_BYTES)).pattern(Some(NO_CONTROL_CHARACTERS)).build()
}

fn request_id(text: ObjectBuilder) -> Object {
    text.min_length(Some(1)).max_length(Some(REQUEST_ID_CHARS)).pattern(Some(NO_CONTROL_CHARACTERS)).build()
}

fn invitation_id(text: ObjectBuilder) -> Object {
    text.pattern(Some("^[0-9a-f]{2}-[0-9a-f]{32}$")).build()
}

fn data(text: ObjectBuilder) -> Object {
    text.max_length(Some(DATA_BYTES)).build()
}

impl<T: ToSchema> PartialSchema for HttpBody<T> {
    fn schema() -> RefOr<Schema> {
        let mut schema = T::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.properties.remove("invitation_id");
            object.required.retain(|name| name != "invitation_id");
            object.description = Some(format!("The body of `{}`.", operation::<T>()));
            let acting_for = "The user for whom a server acts; only with a token of the role `server`.";
            object.properties.insert("as".into(), member::<UserId>(acting_for));
            object.properties.insert("device_id".into(), member::<DeviceId>("The device that acts."));
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
        schemas.push((UserId::name().into_owned(), UserId::schema()));
        schemas.push((DeviceId::name().into_owned(), DeviceId::schema()));
    }
}

/// The method that the parameters `T` belong to.
fn operation<T: ToSchema>() -> String {
    let name = T::name();
    name.strip_suffix("Params").unwrap_or(&name).to_lowercase()
}

/// A member that may be left out or null.
fn member<T: ToSchema>(description: &str) -> RefOr<Schema> {
    utoipa::openapi::OneOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(Type::Null))
        .item(utoipa::openapi::Ref::from_schema_name(T::name()))
        .description(Some(description))
        .into()
}
