//! Enumerations kept as text, by the names they have in the API.

/// Lets diesel and serde read and write a GraphQL enumeration as text. The column's CHECK lists the same names.
macro_rules! text_enum {
    ($name:ty) => {
        impl $name {
            /// Its name in the API.
            pub fn name(self) -> &'static str {
                use async_graphql::resolver_utils::EnumType;
                let item = Self::items().iter().find(|item| item.value == self);
                item.expect("all values have a name").name
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                use async_graphql::resolver_utils::EnumType;
                let text = <String as serde::Deserialize>::deserialize(from)?;
                let item = Self::items().iter().find(|item| item.name == text);
                item.map(|item| item.value).ok_or_else(|| serde::de::Error::custom(format!("unknown name {text}")))
            }
        }

        impl diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn from_sql(
                bytes: <diesel::pg::Pg as diesel::backend::Backend>::RawValue<'_>,
            ) -> diesel::deserialize::Result<Self> {
                use async_graphql::resolver_utils::EnumType;
                let text = <String as diesel::deserialize::FromSql<diesel::sql_types::Text, _>>::from_sql(bytes)?;
                let item = Self::items().iter().find(|item| item.name == text);
                item.map(|item| item.value).ok_or_else(|| format!("{text} is no {}", stringify!($name)).into())
            }
        }

        impl diesel::serialize::ToSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
            ) -> diesel::serialize::Result {
                <str as diesel::serialize::ToSql<diesel::sql_types::Text, diesel::pg::Pg>>::to_sql(self.name(), out)
            }
        }
    };
}
pub(crate) use text_enum;
